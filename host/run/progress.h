// host/run/progress.h - how far a run is: counted by ProgressMeter, told as plain data to whoever asked, and
// shown by ProgressLine: one line that renews itself on a terminal, plain lines otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host/statistics/statistics.h"

namespace mho {

/// How far a run is when something happened.
struct RunProgress {
    enum class Event {
        note,  ///< text: what is done before the chips, or that a device was lost
        point_begins,
        images_read,  ///< where one chip takes minutes, they show that it moves
        chip_finished,
        point_ends,  ///< maybe after fewer chips than planned: `of` counts the rest no more
    };
    Event event = Event::note;
    std::string text;              ///< of a note
    std::string point;             ///< what the point sets, for a person; empty before the first one
    int64_t chips = 0, of = 0;     ///< finished, of the whole run: those done before included
    int64_t images_in_flight = 0;  ///< read on chips that are not finished
    std::optional<Summary> top1;   ///< of the point's chips so far; nothing where there is none
    double images_per_second = 0;  ///< since the first point began; 0: not known yet
    double seconds_left = 0;       ///< of the whole run at that rate; 0: not known yet
};

using ProgressCallback = std::function<void(const RunProgress&)>;

/// The run that is counted.
struct RunExtent {
    int64_t chips = 0;   ///< of the whole run, those done before included
    int64_t done = 0;    ///< done before
    int64_t images = 0;  ///< a chip
    double confidence = 0.95;
};

/// Seconds since the process began to count them.
double steady_seconds();

/// Counts what happens in a run. Threads may call it at any time; `tell` is never called from two at a time.
class ProgressMeter {
  public:
    /// `tell` may be empty. `clock`: seconds.
    ProgressMeter(RunExtent extent, ProgressCallback tell, std::function<double()> clock = steady_seconds);

    /// A new point begins: what it sets, for a person, and how many images its chips so far got right.
    void begin_point(const std::string& label, const std::vector<int64_t>& right);
    /// Images read on chips in flight.
    void add_images(int64_t images);
    /// A chip is finished, with so many images right; its images were added before.
    void add_chip(int64_t right);
    /// The point ended after fewer chips than planned: the rest will not run.
    void end_point(int64_t skipped_chips);
    void note(const std::string& text);

  private:
    void tell(RunProgress::Event event, const std::string& text = "") const;

    RunExtent extent_;
    ProgressCallback tell_;
    std::function<double()> clock_;
    std::mutex mutex_;
    int64_t chips_here_ = 0, images_here_ = 0;  // by this process
    double start_;
    bool begun_ = false;
    std::string point_;
    RightImages top1_;
    std::optional<Summary> summary_;  // of top1_
};

/// Where progress is written.
struct Screen {
    bool terminal = false;
    std::function<void(const std::string&)> write;
    std::function<double()> clock;  ///< seconds
    std::function<int()> columns;   ///< of the terminal, now; 0: unknown
};

/// This process's stderr.
Screen stderr_screen();

class ProgressLine {
  public:
    explicit ProgressLine(Screen screen);

    void show(const RunProgress& progress);

  private:
    std::string line(const RunProgress& progress) const;
    void write(const std::string& text);
    void renew(const RunProgress& progress, bool now);

    Screen screen_;
    double shown_;           // when a line was written last
    bool any_chip_ = false;  // the first one is shown at once
};

}  // namespace mho
