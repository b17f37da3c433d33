// A run in parts: which chips a point still needs, and that chips run anywhere, in any order and any parts,
// are those of the whole run.
#include "host/run/execution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "host/config/read.h"
#include "host/results/findings.h"
#include "host/run/gathering.h"
#include "host/run/sweep.h"
#include "tests/temporary_directory.h"

namespace mho {
namespace {

using Chips = std::vector<uint32_t>;

/// Chips of these numbers, top-1 alternating by `spread` of 1000 images.
std::vector<ChipResult> finished(const Chips& numbers, int64_t spread = 0) {
    std::vector<ChipResult> chips;
    for (uint32_t number : numbers) {
        ChipResult chip;
        chip.chip = number;
        chip.images = 1000;
        chip.top5 = 990;
        chip.top1 = 500 + (number % 2 == 0 ? spread : -spread);
        chips.push_back(chip);
    }
    return chips;
}

Chips from_to(uint32_t first, uint32_t end) {
    Chips chips(end - first);
    std::iota(chips.begin(), chips.end(), first);
    return chips;
}

TEST(NextChips, are_all_that_are_missing) {
    MonteCarloConfig wanted;
    wanted.chips = 6;
    EXPECT_EQ(next_chips({}, wanted), from_to(0, 6));
    EXPECT_EQ(next_chips(finished({0, 2, 3}), wanted), (Chips{1, 4, 5}));
    EXPECT_EQ(next_chips(finished(from_to(0, 6)), wanted), Chips{});
    EXPECT_EQ(next_chips(finished(from_to(0, 8)), wanted), Chips{});
}

TEST(NextChips, with_until_go_from_checkpoint_to_checkpoint) {
    MonteCarloConfig wanted;
    wanted.chips = 50;
    wanted.until = 0.01;
    const int64_t wide = 100, narrow = 10;  // of 1000: intervals of some 0.05 and 0.005
    EXPECT_EQ(next_chips({}, wanted), from_to(0, 20));
    EXPECT_EQ(next_chips(finished(from_to(0, 20), wide), wanted), from_to(20, 30));
    EXPECT_EQ(next_chips(finished(from_to(0, 45), wide), wanted), from_to(45, 50));
    EXPECT_EQ(next_chips(finished(from_to(0, 50), wide), wanted), Chips{});
    EXPECT_EQ(next_chips(finished(from_to(0, 20), narrow), wanted), Chips{});
    EXPECT_EQ(next_chips(finished(from_to(0, 19), narrow), wanted), (Chips{19})) << "no place to stop";
    EXPECT_EQ(next_chips(finished(from_to(0, 21), narrow), wanted), from_to(21, 30));
    Chips gap = from_to(0, 24);
    gap.erase(gap.begin() + 7);
    EXPECT_EQ(next_chips(finished(gap, narrow), wanted), (Chips{7})) << "counted from the first chip";
}

TEST(Gathering, keeps_chips_by_number_in_memory_and_in_its_directory) {
    const TemporaryDirectory folder;
    RunInfo info;
    info.chips = 5;
    info.config_toml = "seed = 1\n";
    const std::vector<PointLabel> labels{{{{"a", "1"}}}, {{{"a", "2"}}}};
    const std::vector<ChipResult> chips = finished({0, 1, 2, 3}, 5);
    const auto fill = [&](Gathering& gathered) {
        gathered.set_digital({1000, 900, 950, 7});
        for (size_t i : {3, 0, 2}) gathered.add(1, chips[i]);
        EXPECT_EQ(gathered.finished_chips(), 3);
    };
    Gathering memory(info, labels, std::nullopt);
    EXPECT_FALSE(memory.run().digital);
    fill(memory);
    EXPECT_EQ(memory.run().points[0].chips.size(), 0u);
    EXPECT_EQ(memory.run().points[1].label, labels[1]);
    EXPECT_EQ(memory.run().points[1].chips, (std::vector<ChipResult>{chips[0], chips[2], chips[3]}));
    {
        Gathering kept(info, labels, RunDirectory{folder / "run"});
        fill(kept);
    }
    Gathering resumed(info, labels, RunDirectory{folder / "run", true});
    EXPECT_EQ(resumed.run().digital, memory.run().digital);
    EXPECT_EQ(resumed.run().points[1].chips, memory.run().points[1].chips);
    resumed.add(1, chips[1]);
    EXPECT_EQ(resumed.run().points[1].chips, chips);
}

constexpr char kTwoPoints[] = R"(
[model]
file = "digits_cnn"
[data]
images = 30
calibration_images = 8
[chip]
level = "crossbar"
[device]
read_noise = 0.02
[adc]
range = "calibrated"
[monte_carlo]
chips = 5
[sweep]
"device.sigma" = [0.05, 0.1]
)";

/// Everything of a chip but the times it took.
std::vector<int64_t> numbers_of(const ChipResult& c) {
    return {c.chip, c.images, c.top1, c.top5, c.loss, c.cells, c.clipped_cells, c.stuck_cells};
}

TEST(Execution, shares_of_a_run_make_the_chips_of_the_whole_run) {
    const Devices devices = open_devices("cpu");
    const Config config = parse_config(kTwoPoints, "two points");
    const RunResult whole = run_sweep(devices, config, {});
    std::vector<std::vector<std::vector<int64_t>>> want, got(whole.points.size());
    for (const PointResult& point : whole.points) {
        ASSERT_EQ(point.chips.size(), 5u);
        std::vector<std::vector<int64_t>> chips;
        for (const ChipResult& chip : point.chips) chips.push_back(numbers_of(chip));
        want.push_back(chips);
    }
    EXPECT_NE(want[0], want[1]);
    const std::vector<std::vector<ChipsToRun>> shares{{{1, {4, 0}}, {0, {2}}, {1, {3}}},
                                                      {{0, {3, 0, 1, 4}}, {1, {1, 2}}}};
    for (const std::vector<ChipsToRun>& share : shares) {
        Workload workload(devices, config);
        const std::vector<RunPoint> points = run_points(config, workload.network(), false);
        Execution execution(workload, points, {.threads = 2});
        for (const ChipsToRun& part : share)
            execution.run(part, [&](const ChipResult& chip) { got[part.point].push_back(numbers_of(chip)); });
    }
    for (auto& chips : got) std::sort(chips.begin(), chips.end());
    EXPECT_EQ(got, want);
}

}  // namespace
}  // namespace mho
