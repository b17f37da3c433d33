// host/progress.h - how far a run is, on stderr: one line that renews itself on a terminal, plain lines
// otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mho {

class Progress {
  public:
    using Clock = std::function<double()>;                  ///< seconds
    using Write = std::function<void(const std::string&)>;  ///< to stderr

    /// chips: of the whole run, those done before included in `done`.
    Progress(int64_t chips, int64_t done, double confidence, bool terminal, Write write, Clock clock);

    /// A new point begins: what it sets, for a person, and its chips so far.
    void begin_point(const std::string& label, const std::vector<double>& top1);
    void add_chip(double top1, int64_t images);
    /// The point ended after fewer chips than planned: the rest will not run.
    void end_point(int64_t skipped_chips);
    /// A line of its own, such as what is being calibrated.
    void note(const std::string& text);

  private:
    std::string line() const;
    void show(bool now);

    int64_t chips_, done_, done_here_ = 0, images_here_ = 0;
    double confidence_;
    bool terminal_;
    Write write_;
    Clock clock_;
    double start_, shown_ = -1e9;
    std::string label_;
    std::vector<double> top1_;
};

/// Progress on this process's stderr; with `quiet`, nowhere.
Progress stderr_progress(int64_t chips, int64_t done, double confidence, bool quiet);

}  // namespace mho
