// Progress: what a person sees on a terminal and in a log.
#include "host/run/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace mho {
namespace {

using ::testing::HasSubstr;

struct Watched {
    std::string text;
    double now = 0;
    int columns = 80;

    Progress progress(bool terminal, int64_t done = 0) {
        return Progress({10, done, 1000, 0.95}, {terminal, [this](const std::string& t) { text += t; },
                                                 [this] { return now; }, [this] { return columns; }});
    }
    /// What a terminal shows last.
    std::string row() const { return text.substr(text.rfind("\x1b[K") + 3); }
};

TEST(Progress, says_chips_mean_interval_rate_and_time_left) {
    Watched screen;
    Progress p = screen.progress(false);
    screen.now = 5;  // before the first point: not chips' time
    p.begin_point("sigma = 0.1", {});
    for (const double top1 : {0.5, 0.7}) {
        screen.now += 5;
        p.add_images(1000);
        screen.now += 5;
        p.add_chip(top1);
    }
    EXPECT_THAT(screen.text, HasSubstr("2/10 chips"));
    EXPECT_THAT(screen.text, HasSubstr("sigma = 0.1"));
    EXPECT_THAT(screen.text, HasSubstr("60.00 +-"));
    EXPECT_THAT(screen.text, HasSubstr("100 images/s"));
    EXPECT_THAT(screen.text, HasSubstr("1 min 20 s left"));
}

TEST(Progress, moves_within_a_chip) {
    for (const bool terminal : {false, true}) {
        Watched screen;
        Progress p = screen.progress(terminal);
        p.begin_point("a", {});
        for (int i = 0; i < 5; ++i) {
            screen.now += 10;
            p.add_images(50);
        }
        EXPECT_THAT(screen.text, HasSubstr("0/10 chips + 100 images  a  5.0 images/s  33 min 00 s left"));
        EXPECT_THAT(screen.text, HasSubstr("0/10 chips + 250 images  a  5.0 images/s  32 min 30 s left"));
    }
}

TEST(Progress, plain_lines_in_a_log_and_one_line_on_a_terminal) {
    Watched log, terminal;
    Progress plain = log.progress(false), renewed = terminal.progress(true);
    for (Progress* p : {&plain, &renewed}) p->begin_point("a", {});
    for (int i = 0; i < 5; ++i) {
        log.now = terminal.now = 100.0 * (i + 1);
        plain.add_chip(0.5);
        renewed.add_chip(0.5);
    }
    EXPECT_EQ(log.text.find('\r'), std::string::npos);
    EXPECT_THAT(log.text, HasSubstr("\n"));
    EXPECT_THAT(terminal.text, HasSubstr("\r"));
}

TEST(Progress, fits_one_row_of_the_terminal) {
    Watched screen;
    Progress p = screen.progress(true);
    const std::string label =
        "crossbar.scheme = \"differential\", device.sigma = 0.15, layer = \"/b\u00e9b\u00e9/Conv\"";
    p.begin_point(label, {0.5, 0.7});
    for (const int columns : {200, 100, 80, 60, 40, 20, 5}) {
        screen.columns = columns;
        screen.now += 10;
        p.add_images(10);
        const std::string row = screen.row();
        const auto shown = std::count_if(row.begin(), row.end(), [](char c) { return (c & 0xc0) != 0x80; });
        EXPECT_LT(shown, columns) << row;
        EXPECT_EQ(row.find(label) != std::string::npos, columns == 200) << row;
        if (columns == 100) {
            EXPECT_THAT(row, HasSubstr("...")) << "what changes fastest stays";
            EXPECT_THAT(row, HasSubstr("/Conv\"  top-1 60.00 +-"));
            EXPECT_THAT(row, HasSubstr(" left"));
        }
    }
}

TEST(Progress, a_point_that_stops_early_counts_as_done_and_notes_stand_alone) {
    Watched screen;
    Progress p = screen.progress(false, 3);
    p.begin_point("a", {0.5, 0.6, 0.7});
    p.end_point(7);
    p.note("calibrating");
    EXPECT_THAT(screen.text, HasSubstr("calibrating\n"));
    EXPECT_THAT(screen.text, HasSubstr("3/3 chips"));
}

TEST(Progress, quiet_writes_nothing) {
    ::testing::internal::CaptureStderr();
    Progress p = stderr_progress({10, 0, 100, 0.95}, true);
    p.begin_point("a", {});
    p.add_images(100);
    p.add_chip(1);
    p.end_point(9);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace mho
