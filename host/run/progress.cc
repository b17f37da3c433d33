#include "host/run/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "host/statistics/statistics.h"

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

}  // namespace

Progress::Progress(RunExtent extent, Screen screen)
    : extent_(extent),
      screen_(std::move(screen)),
      start_(screen_.clock()),
      shown_(screen_.terminal ? start_ - kTerminalPause : start_) {}

std::string Progress::done() const {
    std::string text = fmt::format("{}/{} chips", extent_.done + chips_here_, extent_.chips);
    const int64_t in_flight = images_here_ - chips_here_ * extent_.images;
    if (in_flight > 0) text += fmt::format(" + {} images", in_flight);
    return text;
}

std::string Progress::chips_so_far() const {
    if (top1_.empty()) return "";
    const Summary s = summarise(top1_, extent_.confidence);
    std::string text = fmt::format("  top-1 {:.2f}", 100 * s.mean);
    if (s.mean_interval) text += fmt::format(" +- {:.2f}", 100 * (s.mean_interval->high - s.mean));
    return text + " %";
}

std::string Progress::rate() const {
    const double seconds = screen_.clock() - start_;
    if (images_here_ <= 0 || seconds <= 0) return "";
    const double rate = static_cast<double>(images_here_) / seconds;
    const int64_t left = (extent_.chips - extent_.done) * extent_.images - images_here_;
    return fmt::format("  {:.{}f} images/s  {} left", rate, rate < 10 ? 1 : 0,
                       duration(static_cast<double>(std::max<int64_t>(left, 0)) / rate));
}

/// On a terminal it fits one row, its last column free: a row that wraps cannot be renewed.
std::string Progress::line() const {
    const std::string before = done(), after = chips_so_far() + rate();
    const auto spaced = [](const std::string& label) { return label.empty() ? "" : "  " + label; };
    if (!screen_.terminal) return before + spaced(label_) + after;
    const int columns = screen_.columns ? screen_.columns() : 0;
    const int64_t room = (columns > 0 ? columns : kUnknownTerminal) - 1;
    const int64_t free = room - columns_of(before + after) - 2;  // two spaces before a label
    return cut(before + spaced(end_of(label_, free)) + after, room);
}

void Progress::write(const std::string& text) {
    screen_.write(screen_.terminal ? "\r\x1b[K" + text : text + "\n");
}

void Progress::show(bool now) {
    const double time = screen_.clock();
    if (!now && time - shown_ < (screen_.terminal ? kTerminalPause : kPlainPause)) return;
    shown_ = time;
    write(line());
}

void Progress::begin_point(const std::string& label, const std::vector<double>& top1) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(begun_, true)) start_ = screen_.clock();
    label_ = label;
    top1_ = top1;
    if (screen_.terminal) show(false);
}

void Progress::add_images(int64_t images) {
    const std::lock_guard lock(mutex_);
    images_here_ += images;
    show(false);
}

void Progress::add_chip(double top1) {
    const std::lock_guard lock(mutex_);
    top1_.push_back(top1);
    ++chips_here_;
    show(chips_here_ == 1);
}

void Progress::end_point(int64_t skipped_chips) {
    const std::lock_guard lock(mutex_);
    extent_.chips -= skipped_chips;
    show(true);
    if (screen_.terminal) screen_.write("\n");
}

void Progress::note(const std::string& text) {
    const std::lock_guard lock(mutex_);
    write(text);
}

Progress stderr_progress(RunExtent extent, bool quiet) {
    Screen screen;
    screen.terminal = isatty(STDERR_FILENO) == 1;
    screen.write = [quiet](const std::string& text) {
        if (!quiet) std::fputs(text.c_str(), stderr);
    };
    screen.clock = [start = std::chrono::steady_clock::now()] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    screen.columns = [] {
        winsize size{};
        return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? static_cast<int>(size.ws_col) : 0;
    };
    return Progress(extent, screen);
}

}  // namespace mho
