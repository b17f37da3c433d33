// host/run/progress.h - how far a run is, on stderr: one line that renews itself on a terminal, plain lines
// otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace mho {

/// The run whose progress is shown.
struct RunExtent {
    int64_t chips = 0;   ///< of the whole run, those done before included
    int64_t done = 0;    ///< done before
    int64_t images = 0;  ///< a chip
    double confidence = 0.95;
};

/// Where progress is written.
struct Screen {
    bool terminal = false;
    std::function<void(const std::string&)> write;
    std::function<double()> clock;  ///< seconds
    std::function<int()> columns;   ///< of the terminal, now; 0: unknown
};

/// Threads may call it at any time.
class Progress {
  public:
    Progress(RunExtent extent, Screen screen);

    /// A new point begins: what it sets, for a person, and its chips so far.
    void begin_point(const std::string& label, const std::vector<double>& top1);
    /// Images read on chips in flight: where one chip takes minutes, they show that it moves.
    void add_images(int64_t images);
    /// A chip is finished; its images were added before.
    void add_chip(double top1);
    /// The point ended after fewer chips than planned: the rest will not run.
    void end_point(int64_t skipped_chips);
    /// What is being done before the chips.
    void note(const std::string& text);

  private:
    std::string done() const;
    std::string chips_so_far() const;
    std::string rate() const;
    std::string line() const;
    void write(const std::string& text);
    void show(bool now);

    RunExtent extent_;
    Screen screen_;
    std::mutex mutex_;
    int64_t chips_here_ = 0, images_here_ = 0;  ///< by this process
    double start_, shown_;
    bool begun_ = false;
    std::string label_;
    std::vector<double> top1_;
};

/// Progress on this process's stderr; with `quiet`, nowhere.
Progress stderr_progress(RunExtent extent, bool quiet);

}  // namespace mho
