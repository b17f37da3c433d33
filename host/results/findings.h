// host/results/findings.h - what a run says beyond each point's own numbers: differences between points,
// where the spread comes from, and how much of the run's cost was needed. docs/physics.md section 8.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "host/results/run.h"
#include "host/statistics/statistics.h"

namespace mho {

/// One number of every chip, in their order.
std::vector<double> of_chips(std::span<const ChipResult> chips, double (ChipResult::*measure)() const);
/// What every chip got right: first choices, or among the first five.
RightImages right_images(std::span<const ChipResult> chips, int64_t Outcome::*count = &Outcome::top1);

/// Top-1 of `point` less that of `reference`, over the chips that both have: chips of the same number have
/// the same devices. Nothing where they share none.
std::optional<Summary> difference(const PointResult& point, const PointResult& reference, double confidence);

/// Cells that programming cut to what they can hold, of all cells of a point's chips.
double clipped_share(const PointResult& point);

/// Whether each layer was also noisy alone: the points' last key is then `layer`.
bool has_layers(const RunResult& run);
/// Whether all of a point's analog layers were noisy together.
bool is_whole(const RunResult& run, const PointResult& point);

/// What one layer loses where it alone is noisy: the digital top-1 less that of its chips.
struct LayerLoss {
    const PointResult* point;
    Summary lost;
};
/// The largest mean first. None without the digital accuracy.
std::vector<LayerLoss> layer_losses(const RunResult& run);

/// Where the open part of a point's top-1 for new images comes from, and what follows for the images a chip.
struct Spread {
    VarianceComponents variance;
    double chip_cost = 0;  ///< programming one chip, in images: a quotient of times, as this run took them
    /// Images a chip, and chips, that would have given the narrowest interval for new images in the same
    /// time; none where chips do not differ.
    std::optional<double> suggested_images, suggested_chips;
};
/// Nothing from fewer than two chips.
std::optional<Spread> spread(const PointResult& point);

/// Half widths of an interval of top-1 for which a run says how many chips they took.
inline constexpr std::array<double, 7> kHalfWidths = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1};

/// The number of chips after which the interval was first at most `half_width` either way, looked at where
/// `until` looks and after the last chip. Nothing where it never was.
std::optional<int64_t> chips_needed(const PointResult& point, double half_width, double confidence);

/// How much of a run's cost was needed: `chips` of `of` for an interval of `half_width` at each point.
struct NeededCost {
    double half_width = 0;
    int64_t chips = 0, of = 0;
    int64_t points_short = 0;  ///< points that ran all their chips and are wider
};
/// With `until`, for that half width, of all the chips that the points might have run; without, for the
/// smallest of kHalfWidths that every point reached. Nothing where a point is not finished or none is
/// reached.
std::optional<NeededCost> cost_needed(const RunResult& run);

}  // namespace mho
