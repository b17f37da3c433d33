// Progress: what a person sees on a terminal and in a log.
#include "host/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mho {
namespace {

using ::testing::HasSubstr;

struct Screen {
    std::string text;
    double now = 0;

    Progress progress(bool terminal, int64_t done = 0) {
        return Progress(
            10, done, 0.95, terminal, [this](const std::string& t) { text += t; }, [this] { return now; });
    }
};

TEST(Progress, says_chips_mean_interval_rate_and_time_left) {
    Screen screen;
    Progress p = screen.progress(false);
    p.begin_point("sigma = 0.1", {});
    screen.now = 10;
    p.add_chip(0.5, 1000);
    screen.now = 20;
    p.add_chip(0.7, 1000);
    EXPECT_THAT(screen.text, HasSubstr("2/10 chips"));
    EXPECT_THAT(screen.text, HasSubstr("sigma = 0.1"));
    EXPECT_THAT(screen.text, HasSubstr("60.00 +-"));
    EXPECT_THAT(screen.text, HasSubstr("100 images/s"));
    EXPECT_THAT(screen.text, HasSubstr("1 min 20 s left"));
}

TEST(Progress, plain_lines_in_a_log_and_one_line_on_a_terminal) {
    Screen log, terminal;
    Progress plain = log.progress(false), renewed = terminal.progress(true);
    for (Progress* p : {&plain, &renewed}) p->begin_point("a", {});
    for (int i = 0; i < 5; ++i) {
        log.now = terminal.now = 100.0 * (i + 1);
        plain.add_chip(0.5, 10);
        renewed.add_chip(0.5, 10);
    }
    EXPECT_EQ(log.text.find('\r'), std::string::npos);
    EXPECT_THAT(log.text, HasSubstr("\n"));
    EXPECT_THAT(terminal.text, HasSubstr("\r"));
}

TEST(Progress, a_point_that_stops_early_counts_as_done_and_notes_stand_alone) {
    Screen screen;
    Progress p = screen.progress(false, 3);
    p.begin_point("a", {0.5, 0.6, 0.7});
    p.end_point(7);
    p.note("calibrating");
    EXPECT_THAT(screen.text, HasSubstr("calibrating\n"));
    EXPECT_THAT(screen.text, HasSubstr("3/3 chips"));
}

TEST(Progress, quiet_writes_nothing) {
    ::testing::internal::CaptureStderr();
    Progress p = stderr_progress(10, 0, 0.95, true);
    p.begin_point("a", {});
    p.add_chip(1, 1);
    p.end_point(9);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace mho
