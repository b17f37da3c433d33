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

/// Of one number a chip (an accuracy, a loss). What one chip leaves open is absent.
struct Summary {
    int64_t count = 0;
    double mean = 0;
    std::optional<double> sd;  ///< of one chip: sqrt(sum (x - mean)^2 / (n - 1))
    double min = 0, median = 0, max = 0;
    std::optional<Interval> mean_interval;        ///< of the mean over all chips
    std::optional<Interval> new_images_interval;  ///< of an accuracy: over all chips and all images

    /// How far the interval of the mean reaches, at most, to either side.
    std::optional<double> half_width() const;
};

/// Numbers of any size, with Student's t interval. Throws std::invalid_argument for no values.
Summary summarise(std::span<const double> values, double confidence);

/// How many of the same images several chips got right.
struct RightImages {
    std::vector<int64_t> right;  ///< a chip
    int64_t images = 0;

    std::vector<double> fractions() const;
};

/// The accuracy of chips, with intervals within [0, 1] (Korn and Graubard, Survey Methodology 24 (1998), 193;
/// docs/physics.md section 8). Throws std::invalid_argument for no chips.
Summary summarise(const RightImages& chips, double confidence);

/// Whether the interval of the mean on these images reaches at most `half_width` to either side: never of
/// fewer than two chips.
bool narrow_enough(const RightImages& chips, double half_width, double confidence);

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

/// Where the variance of a mean accuracy comes from: of k chips that all saw the same n images it is at most
/// chips / k + images / n.
struct VarianceComponents {
    double chips = 0;   ///< between chips, on the same images
    double images = 0;  ///< of one image's outcome
    /// Images a chip that give the least variance for the time, where k chips and n images took as long as
    /// `time` images and programming one chip as long as `chip_cost`: sqrt(images time / chips), but so few
    /// that chips are left that say how they differ. None where they do not.
    std::optional<double> suggested_images(double time, double chip_cost) const;
};
VarianceComponents variance_components(const RightImages& chips);

/// a - b, chip by chip: chips of the same number have the same devices at both points. Student's t interval,
/// within [-1, 1]. Throws std::invalid_argument for other chips or images.
Summary paired_difference(const RightImages& a, const RightImages& b, double confidence);

/// Numbers of chips after which a point may stop: 20, 30, 45, 68, ... (x 1.5, rounded up). Looking after
/// every chip would cover less than the interval claims.
bool is_checkpoint(int64_t chips);
/// The first checkpoint above `chips`.
int64_t next_checkpoint(int64_t chips);

}  // namespace mho
