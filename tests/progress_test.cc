// Progress: what a person sees on a terminal and in a log.
#include "host/run/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

namespace mho {
namespace {

using ::testing::HasSubstr;

struct Watched {
    std::string text;
    double now = 0;
    int columns = 80;

    ProgressMeter progress(bool terminal, int64_t done = 0) {
        const auto line =
            std::make_shared<ProgressLine>(Screen{terminal, [this](const std::string& t) { text += t; },
                                                  [this] { return now; }, [this] { return columns; }});
        return ProgressMeter(
            {10, done, 1000, 0.95}, [line](const RunProgress& p) { line->show(p); }, [this] { return now; });
    }
    /// What a terminal shows last.
    std::string row() const { return text.substr(text.rfind("\x1b[K") + 3); }
};

TEST(Progress, says_chips_mean_interval_rate_and_time_left) {
    Watched screen;
    ProgressMeter p = screen.progress(false);
    screen.now = 5;  // before the first point: not chips' time
    p.begin_point("sigma = 0.1", {});
    for (const int64_t right : {500, 700}) {
        screen.now += 5;
        p.add_images(1000);
        screen.now += 5;
        p.add_chip(right);
    }
    EXPECT_THAT(screen.text, HasSubstr("2/10 chips"));
    EXPECT_THAT(screen.text, HasSubstr("sigma = 0.1"));
    EXPECT_THAT(screen.text, HasSubstr("top-1 60.00 ("));
    EXPECT_THAT(screen.text, HasSubstr("100 images/s"));
    EXPECT_THAT(screen.text, HasSubstr("1 min 20 s left"));
}

TEST(Progress, moves_within_a_chip) {
    for (const bool terminal : {false, true}) {
        Watched screen;
        ProgressMeter p = screen.progress(terminal);
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
    ProgressMeter plain = log.progress(false), renewed = terminal.progress(true);
    for (ProgressMeter* p : {&plain, &renewed}) p->begin_point("a", {});
    for (int i = 0; i < 5; ++i) {
        log.now = terminal.now = 100.0 * (i + 1);
        plain.add_chip(500);
        renewed.add_chip(500);
    }
    EXPECT_EQ(log.text.find('\r'), std::string::npos);
    EXPECT_THAT(log.text, HasSubstr("\n"));
    EXPECT_THAT(terminal.text, HasSubstr("\r"));
}

TEST(Progress, fits_one_row_of_the_terminal) {
    Watched screen;
    ProgressMeter p = screen.progress(true);
    const std::string label =
        "crossbar.scheme = \"differential\", device.sigma = 0.15, layer = \"/b\u00e9b\u00e9/Conv\"";
    p.begin_point(label, {500, 700});
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
            EXPECT_THAT(row, HasSubstr("/Conv\"  top-1 60.00 ("));
            EXPECT_THAT(row, HasSubstr(" left"));
        }
    }
}

TEST(Progress, a_point_that_stops_early_counts_as_done_and_notes_stand_alone) {
    Watched screen;
    ProgressMeter p = screen.progress(false, 3);
    p.begin_point("a", {500, 600, 700});
    p.end_point(7);
    p.note("calibrating");
    EXPECT_THAT(screen.text, HasSubstr("calibrating\n"));
    EXPECT_THAT(screen.text, HasSubstr("3/3 chips"));
}

TEST(Progress, is_told_as_numbers) {
    using Event = RunProgress::Event;
    double now = 0;
    std::vector<RunProgress> told;
    ProgressMeter meter(
        {10, 2, 100, 0.95}, [&](const RunProgress& p) { told.push_back(p); }, [&] { return now; });
    meter.note("digital baseline");
    now = 7;  // before the first point: not chips' time
    meter.begin_point("sigma = 0.1", {25, 75});
    now = 9;
    meter.add_images(130);
    meter.add_chip(50);
    now = 13;
    meter.end_point(4);
    ASSERT_EQ(told.size(), 5u);
    EXPECT_EQ(told[0].event, Event::note);
    EXPECT_EQ(told[0].text, "digital baseline");
    EXPECT_EQ(told[0].point, "");
    EXPECT_FALSE(told[0].top1);
    EXPECT_EQ(told[1].event, Event::point_begins);
    EXPECT_EQ(told[1].point, "sigma = 0.1");
    EXPECT_EQ(told[1].chips, 2);
    EXPECT_EQ(told[1].of, 10);
    EXPECT_EQ(told[1].top1->mean, 0.5);
    EXPECT_EQ(told[1].images_per_second, 0);
    EXPECT_EQ(told[2].event, Event::images_read);
    EXPECT_EQ(told[2].images_in_flight, 130);
    EXPECT_EQ(told[2].images_per_second, 130 / 2.0);
    EXPECT_EQ(told[2].seconds_left, (8 * 100 - 130) / (130 / 2.0));
    EXPECT_EQ(told[3].event, Event::chip_finished);
    EXPECT_EQ(told[3].images_in_flight, 30);
    EXPECT_EQ(told[3].chips, 3);
    EXPECT_EQ(told[3].top1->count, 3);
    EXPECT_EQ(told[4].event, Event::point_ends);
    EXPECT_EQ(told[4].of, 6);
    EXPECT_EQ(told[4].images_per_second, 130 / 6.0);
    EXPECT_EQ(told[4].seconds_left, (4 * 100 - 130) / (130 / 6.0));
    ProgressMeter({10, 0, 100, 0.95}, {}).add_chip(1);  // to nobody
}

}  // namespace
}  // namespace mho
