#include "host/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "host/statistics.h"

namespace mho {
namespace {

constexpr double kTerminalPause = 0.1;  // seconds between two lines
constexpr double kPlainPause = 10;

std::string duration(double seconds) {
    const int64_t s = static_cast<int64_t>(seconds + 0.5);
    if (s < 60) return fmt::format("{} s", s);
    if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
    return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

}  // namespace

Progress::Progress(int64_t chips, int64_t done, double confidence, bool terminal, Write write, Clock clock)
    : chips_(chips),
      done_(done),
      confidence_(confidence),
      terminal_(terminal),
      write_(std::move(write)),
      clock_(std::move(clock)),
      start_(clock_()) {}

std::string Progress::line() const {
    std::string text = fmt::format("{}/{} chips", done_, chips_);
    if (!label_.empty()) text += "  " + label_;
    if (!top1_.empty()) {
        const Summary s = summarise(top1_, confidence_);
        text += fmt::format("  top-1 {:.2f}", 100 * s.mean);
        if (s.mean_interval) text += fmt::format(" +- {:.2f}", 100 * (s.mean_interval->high - s.mean));
        text += " %";
    }
    const double seconds = clock_() - start_;
    if (done_here_ > 0 && seconds > 0) {
        text += fmt::format("  {:.0f} images/s", static_cast<double>(images_here_) / seconds);
        text += "  " +
                duration(seconds / static_cast<double>(done_here_) * static_cast<double>(chips_ - done_)) +
                " left";
    }
    return text;
}

void Progress::show(bool now) {
    const double time = clock_();
    if (!now && time - shown_ < (terminal_ ? kTerminalPause : kPlainPause)) return;
    shown_ = time;
    write_(terminal_ ? "\r\x1b[K" + line() : line() + "\n");
}

void Progress::begin_point(const std::string& label, const std::vector<double>& top1) {
    label_ = label;
    top1_ = top1;
    if (terminal_) show(false);
}

void Progress::add_chip(double top1, int64_t images) {
    top1_.push_back(top1);
    images_here_ += images;
    ++done_here_;
    ++done_;
    show(false);
}

void Progress::end_point(int64_t skipped_chips) {
    chips_ -= skipped_chips;
    show(true);
    if (terminal_) write_("\n");
}

void Progress::note(const std::string& text) {
    write_((terminal_ ? "\r\x1b[K" : "") + text + (terminal_ ? "" : "\n"));
}

Progress stderr_progress(int64_t chips, int64_t done, double confidence, bool quiet) {
    auto clock = [start = std::chrono::steady_clock::now()] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    auto write = [quiet](const std::string& text) {
        if (!quiet) std::fputs(text.c_str(), stderr);
    };
    return Progress(chips, done, confidence, isatty(STDERR_FILENO) == 1, write, clock);
}

}  // namespace mho
