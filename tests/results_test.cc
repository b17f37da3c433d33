// A run as files and as a table, from runs made by hand: what is counted, and what is said where something is
// missing.
#include "host/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mho {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// A run of one point a list, with these numbers of right images of `images`, one a chip.
RunResult run_of(int64_t images, int64_t digital, const std::vector<std::vector<int64_t>>& points) {
    RunResult run;
    run.info.images = images;
    run.digital = Outcome{images, digital, images, 0};
    for (size_t p = 0; p < points.size(); ++p) {
        PointResult point{{{{"device.sigma", std::to_string(p)}}}, {}};
        for (size_t c = 0; c < points[p].size(); ++c) {
            ChipResult chip{{images, points[p][c], images, 0}};
            chip.chip = static_cast<int64_t>(c);
            point.chips.push_back(chip);
        }
        run.points.push_back(point);
    }
    return run;
}

TEST(Yield, counts_a_chip_that_loses_exactly_as_much_as_asked) {
    // 70 of 100 images less 1, 2, 5, 10 points: in floating point 0.7 - 0.01 is above 0.69.
    for (int64_t digital = 0; digital <= 100; ++digital) {
        const std::vector<int64_t> chips{digital, std::max<int64_t>(0, digital - 1),
                                         std::max<int64_t>(0, digital - 2), std::max<int64_t>(0, digital - 5),
                                         std::max<int64_t>(0, digital - 10)};
        const json yield = json::parse(results_json(run_of(100, digital, {chips})))["points"][0]["yield"];
        const int64_t lost[] = {1, 2, 5, 10};
        for (size_t i = 0; i < 4; ++i) {
            const int64_t reached =
                std::count_if(chips.begin(), chips.end(), [&](int64_t c) { return c >= digital - lost[i]; });
            EXPECT_DOUBLE_EQ(yield[i]["share"].get<double>(), static_cast<double>(reached) / 5)
                << digital << " less " << lost[i];
        }
    }
}

TEST(Results, a_run_without_a_baseline_says_so) {
    RunResult run = run_of(100, 70, {{70, 60}});
    run.digital.reset();
    const json j = json::parse(results_json(run));
    EXPECT_TRUE(j["digital"].is_null());
    EXPECT_TRUE(j["points"][0]["yield"].is_null());
    EXPECT_THAT(points_table(run), HasSubstr("digital: not finished (100 images"));
}

}  // namespace
}  // namespace mho
