// host/statistics/statistics.h - what a sample of chips says about all chips. docs/physics.md section 8.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace mho {

struct Interval {
    double low = 0, high = 0;
};

/// Of one number a chip (an accuracy, a loss).
struct Summary {
    int64_t count = 0;
    double mean = 0;
    double sd = 0;  ///< of one chip: sqrt(sum (x - mean)^2 / (n - 1)); 0 for one chip
    double min = 0, median = 0, max = 0;
    std::optional<Interval> mean_interval;  ///< Student's t; none from fewer than two chips

    /// How far the interval reaches to either side of the mean.
    std::optional<double> half_width() const;
};

/// Throws std::invalid_argument for no values.
Summary summarise(std::span<const double> values, double confidence);

/// Whether the interval of the mean reaches at most `half_width` to either side: never of fewer than two
/// values.
bool narrow_enough(std::span<const double> values, double half_width, double confidence);

/// The p quantile of `values` (linear between order statistics), and the interval between two order
/// statistics that covers the quantile of all chips with at least `confidence`, by the binomial distribution
/// of how many chips lie below it; an end that no order statistic reaches is absent.
struct Quantile {
    double value = 0;
    std::optional<double> low, high;
};
Quantile quantile(std::span<const double> values, double p, double confidence);

/// Share of chips with value >= `threshold`, with the Clopper-Pearson interval.
struct Yield {
    double share = 0;
    Interval interval;
};
Yield yield_at(std::span<const double> values, double threshold, double confidence);
/// The same where `reached` of `chips` chips are known to reach it.
Yield yield_of(int64_t reached, int64_t chips, double confidence);

/// One-way random effects of 0/1 outcomes: `correct[c]` of `images` images right on chip c. An accuracy
/// measured on `images` images of one chip varies by chips + images / n.
struct VarianceComponents {
    double chips = 0;   ///< between chips, >= 0 (a negative estimate is 0)
    double images = 0;  ///< of one image's outcome within a chip
    /// Images a chip that give the least variance of the mean for a given cost, where programming one chip
    /// costs as much as `chip_cost` images: sqrt(chip_cost images / chips). None where chips do not differ.
    std::optional<double> suggested_images(double chip_cost) const;
};
VarianceComponents variance_components(std::span<const int64_t> correct, int64_t images);

/// a - b, chip by chip: chips of the same number have the same devices at both points.
Summary paired_difference(std::span<const double> a, std::span<const double> b, double confidence);

/// Numbers of chips after which a point may stop: 20, 30, 45, 68, ... (x 1.5, rounded up). Looking after
/// every chip would cover less than the interval claims.
bool is_checkpoint(int64_t chips);
/// The first checkpoint above `chips`.
int64_t next_checkpoint(int64_t chips);

}  // namespace mho
