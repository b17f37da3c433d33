#include "host/run/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

namespace mho {
namespace {

constexpr double kTerminalPause = 0.5;  // seconds between two lines
constexpr double kPlainPause = 10;
constexpr int kUnknownTerminal = 80;  // columns

std::string duration(double seconds) {
    const int64_t s = static_cast<int64_t>(seconds + 0.5);
    if (s < 60) return fmt::format("{} s", s);
    if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
    return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

/// Whether a byte of UTF-8 begins a character: each takes one column, nearly.
bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

int64_t columns_of(const std::string& text) {
    return std::count_if(text.begin(), text.end(), begins_character);
}

/// The first `columns` columns.
std::string cut(const std::string& text, int64_t columns) {
    int64_t taken = 0;
    for (size_t i = 0; i < text.size(); ++i)
        if (begins_character(text[i]) && ++taken > columns) return text.substr(0, i);
    return text;
}

/// The last of it with "..." before, where it takes more than `columns`: of a point's keys the last changes
/// fastest.
std::string end_of(const std::string& text, int64_t columns) {
    constexpr char kDots[] = "...";
    int64_t left_out = columns_of(text) - columns;
    if (left_out <= 0) return text;
    left_out += std::ssize(kDots) - 1;
    for (size_t i = 0; i < text.size(); ++i)
        if (begins_character(text[i]) && left_out-- == 0) return kDots + text.substr(i);
    return "";
}

std::string done(const RunProgress& progress) {
    std::string text = fmt::format("{}/{} chips", progress.chips, progress.of);
    if (progress.images_in_flight > 0) text += fmt::format(" + {} images", progress.images_in_flight);
    return text;
}

std::string chips_so_far(const RunProgress& progress) {
    if (!progress.top1) return "";
    std::string text = fmt::format("  top-1 {:.2f}", 100 * progress.top1->mean);
    if (const auto& i = progress.top1->mean_interval)
        text += fmt::format(" ({:.2f} to {:.2f})", 100 * i->low, 100 * i->high);
    return text + " %";
}

std::string rate(const RunProgress& progress) {
    const double rate = progress.images_per_second;
    if (rate <= 0) return "";
    return fmt::format("  {:.{}f} images/s  {} left", rate, rate < 10 ? 1 : 0,
                       duration(progress.seconds_left));
}

}  // namespace

double steady_seconds() {
    static const auto start = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

ProgressMeter::ProgressMeter(RunExtent extent, ProgressCallback tell, std::function<double()> clock)
    : extent_(extent), tell_(std::move(tell)), clock_(std::move(clock)), start_(clock_()) {}

void ProgressMeter::begin_point(const std::string& label, const std::vector<int64_t>& right) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(begun_, true)) start_ = clock_();
    point_ = label;
    top1_ = {right, extent_.images};
    summary_.reset();
    if (!right.empty()) summary_ = summarise(top1_, extent_.confidence);
    tell(RunProgress::Event::point_begins);
}

void ProgressMeter::add_images(int64_t images) {
    const std::lock_guard lock(mutex_);
    images_here_ += images;
    tell(RunProgress::Event::images_read);
}

void ProgressMeter::add_chip(int64_t right) {
    const std::lock_guard lock(mutex_);
    top1_.right.push_back(right);
    summary_ = summarise(top1_, extent_.confidence);
    ++chips_here_;
    tell(RunProgress::Event::chip_finished);
}

void ProgressMeter::end_point(int64_t skipped_chips) {
    const std::lock_guard lock(mutex_);
    extent_.chips -= skipped_chips;
    tell(RunProgress::Event::point_ends);
}

void ProgressMeter::note(const std::string& text) {
    const std::lock_guard lock(mutex_);
    tell(RunProgress::Event::note, text);
}

void ProgressMeter::tell(RunProgress::Event event, const std::string& text) const {
    if (!tell_) return;
    RunProgress p{event, text, point_, extent_.done + chips_here_, extent_.chips, 0, summary_, 0, 0};
    p.images_in_flight = std::max<int64_t>(images_here_ - chips_here_ * extent_.images, 0);
    const double seconds = clock_() - start_;
    if (images_here_ > 0 && seconds > 0) {
        const int64_t left = (extent_.chips - extent_.done) * extent_.images - images_here_;
        p.images_per_second = static_cast<double>(images_here_) / seconds;
        p.seconds_left = static_cast<double>(std::max<int64_t>(left, 0)) / p.images_per_second;
    }
    tell_(p);
}

ProgressLine::ProgressLine(Screen screen)
    : screen_(std::move(screen)),
      shown_(screen_.terminal ? screen_.clock() - kTerminalPause : screen_.clock()) {}

/// On a terminal it fits one row, its last column free: a row that wraps cannot be renewed.
std::string ProgressLine::line(const RunProgress& progress) const {
    const std::string before = done(progress), after = chips_so_far(progress) + rate(progress);
    const auto spaced = [](const std::string& label) { return label.empty() ? "" : "  " + label; };
    if (!screen_.terminal) return before + spaced(progress.point) + after;
    const int columns = screen_.columns ? screen_.columns() : 0;
    const int64_t room = (columns > 0 ? columns : kUnknownTerminal) - 1;
    const int64_t free = room - columns_of(before + after) - 2;  // two spaces before a label
    return cut(before + spaced(end_of(progress.point, free)) + after, room);
}

void ProgressLine::write(const std::string& text) {
    screen_.write(screen_.terminal ? "\r\x1b[K" + text : text + "\n");
}

void ProgressLine::renew(const RunProgress& progress, bool now) {
    const double time = screen_.clock();
    if (!now && time - shown_ < (screen_.terminal ? kTerminalPause : kPlainPause)) return;
    shown_ = time;
    write(line(progress));
}

void ProgressLine::show(const RunProgress& progress) {
    switch (progress.event) {
        case RunProgress::Event::note:
            return write(progress.text);
        case RunProgress::Event::point_begins:
            if (screen_.terminal) renew(progress, false);
            return;
        case RunProgress::Event::images_read:
            return renew(progress, false);
        case RunProgress::Event::chip_finished:
            return renew(progress, !std::exchange(any_chip_, true));
        case RunProgress::Event::point_ends:
            renew(progress, true);
            if (screen_.terminal) screen_.write("\n");
    }
}

Screen stderr_screen() {
    Screen screen;
    screen.terminal = isatty(STDERR_FILENO) == 1;
    screen.write = [](const std::string& text) { std::fputs(text.c_str(), stderr); };
    screen.clock = steady_seconds;
    screen.columns = [] {
        winsize size{};
        return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? static_cast<int>(size.ws_col) : 0;
    };
    return screen;
}

}  // namespace mho
