// Statistics against closed forms, published tables and simulated coverage. docs/physics.md section 8.
#include "host/statistics/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace mho {
namespace {

TEST(Summary, of_five_numbers) {
    const std::vector<double> x{4, 1, 3, 2, 10};
    const Summary s = summarise(x, 0.95);
    EXPECT_EQ(s.count, 5);
    EXPECT_DOUBLE_EQ(s.mean, (4 + 1 + 3 + 2 + 10) / 5.0);
    EXPECT_DOUBLE_EQ(s.sd, std::sqrt((0.0 + 9 + 1 + 4 + 36) / 4));
    EXPECT_EQ(s.min, 1);
    EXPECT_EQ(s.median, 3);
    EXPECT_EQ(s.max, 10);
    const double t = 2.776;  // Student's t, 4 degrees of freedom, 97.5 %: printed tables
    EXPECT_NEAR(s.mean_interval->high - s.mean, t * s.sd / std::sqrt(5.0), 5e-4 * s.sd);
    EXPECT_NEAR(s.mean - s.mean_interval->low, t * s.sd / std::sqrt(5.0), 5e-4 * s.sd);
}

TEST(Summary, one_value_has_no_interval_and_none_is_refused) {
    EXPECT_FALSE(summarise(std::vector<double>{3}, 0.95).mean_interval);
    EXPECT_EQ(summarise(std::vector<double>{3}, 0.95).sd, 0);
    EXPECT_THROW(summarise({}, 0.95), std::invalid_argument);
    const Summary equal = summarise(std::vector<double>{3, 3, 3}, 0.95);
    EXPECT_EQ(equal.mean_interval->low, 3);
    EXPECT_EQ(equal.mean_interval->high, 3);
}

TEST(Summary, is_narrow_enough_up_to_its_half_width) {
    const std::vector<double> x{4, 1, 3, 2, 10};
    const double half = *summarise(x, 0.95).half_width();
    EXPECT_GT(half, 0);
    EXPECT_TRUE(narrow_enough(x, half, 0.95));
    EXPECT_FALSE(narrow_enough(x, std::nextafter(half, 0.0), 0.95));
    EXPECT_FALSE(narrow_enough(x, half, 0.96));
    EXPECT_FALSE(narrow_enough(std::vector<double>{3}, 1e9, 0.95)) << "one value says nothing of the next";
}

/// The interval must hold the true mean as often as it says: an exact binomial bound at significance 1e-6 a
/// side.
TEST(Summary, interval_covers_as_often_as_it_says) {
    std::mt19937_64 random(20);
    std::normal_distribution<double> draw(0.7, 0.1);
    int covered = 0;
    const int trials = 4000;
    for (int i = 0; i < trials; ++i) {
        std::vector<double> x(8);
        for (double& v : x) v = draw(random);
        const Interval interval = *summarise(x, 0.9).mean_interval;
        covered += interval.low <= 0.7 && 0.7 <= interval.high;
    }
    const double sd = std::sqrt(trials * 0.9 * 0.1);  // normal to binomial: 4.9 sd is 1e-6 two-sided
    EXPECT_NEAR(covered, trials * 0.9, 4.9 * sd) << "seed 20";
}

TEST(Quantile, median_interval_of_twenty_chips_is_the_6th_and_the_15th) {
    std::vector<double> x(20);
    std::iota(x.begin(), x.end(), 1.0);
    const Quantile q = quantile(x, 0.5, 0.95);
    EXPECT_DOUBLE_EQ(q.value, 10.5);
    EXPECT_EQ(*q.low, 6);  // tables of the sign test: n = 20, 95 %: order statistics 6 and 15
    EXPECT_EQ(*q.high, 15);
}

TEST(Quantile, an_extreme_one_has_no_end_that_few_chips_could_reach) {
    const std::vector<double> x{1, 2, 3, 4, 5};
    EXPECT_FALSE(quantile(x, 0.01, 0.95).low);
    EXPECT_FALSE(quantile(x, 0.99, 0.95).high);
}

TEST(Yield, clopper_pearson) {
    const std::vector<double> x{0.1, 0.5, 0.6, 0.7, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9};
    const Yield y = yield_at(x, 0.5, 0.95);
    EXPECT_DOUBLE_EQ(y.share, 0.9);
    EXPECT_NEAR(y.interval.low, 0.5550, 5e-5);  // published: 9 of 10 at 95 %
    EXPECT_NEAR(y.interval.high, 0.9975, 5e-5);
    const Yield all = yield_at(x, 0.0, 0.95);
    EXPECT_EQ(all.interval.high, 1);
    EXPECT_NEAR(all.interval.low, std::pow(0.025, 0.1), 1e-12);  // k = n: (alpha / 2)^(1/n)
    EXPECT_EQ(yield_at(x, 2.0, 0.95).interval.low, 0);
    const Yield counted = yield_of(9, 10, 0.95);
    EXPECT_EQ(counted.share, y.share);
    EXPECT_EQ(counted.interval.low, y.interval.low);
    EXPECT_EQ(counted.interval.high, y.interval.high);
    EXPECT_THROW(yield_of(0, 0, 0.95), std::invalid_argument);
}

TEST(VarianceComponents, recover_what_made_the_sample) {
    std::mt19937_64 random(3);
    const double sd = 0.05, mean = 0.7;
    const int64_t images = 500;
    std::normal_distribution<double> chip(mean, sd);
    std::vector<int64_t> correct;
    for (int i = 0; i < 2000; ++i)
        correct.push_back(std::binomial_distribution<int64_t>(images, chip(random))(random));
    const VarianceComponents v = variance_components(correct, images);
    // The variance of a variance estimate from 2000 normal chips is 2 v^2 / 1999: five of its sd, 16 %.
    EXPECT_NEAR(v.chips, sd * sd, 0.16 * (sd * sd + 0.21 / images));
    EXPECT_NEAR(v.images, mean * (1 - mean) - sd * sd, 0.01);
    EXPECT_NEAR(*v.suggested_images(10), std::sqrt(10 * v.images / v.chips), 1e-9);
}

TEST(VarianceComponents, of_three_chips_by_hand) {
    const VarianceComponents v = variance_components(std::vector<int64_t>{60, 70, 80}, 100);
    const double within = (100 * 0.6 * 0.4 + 100 * 0.7 * 0.3 + 100 * 0.8 * 0.2) / (3 * 99);
    const double between = (100 * 0.1 * 0.1 + 100 * 0.1 * 0.1) / 2;  // mean square between three chips
    EXPECT_NEAR(v.images, within, 1e-15);
    EXPECT_NEAR(v.chips, (between - within) / 100, 1e-15);
    EXPECT_EQ(*v.suggested_images(1e-9), 1);  // no chip is looked at with less than one image
}

TEST(VarianceComponents, equal_chips_have_no_spread) {
    const VarianceComponents v = variance_components(std::vector<int64_t>{70, 70, 70}, 100);
    EXPECT_EQ(v.chips, 0);
    EXPECT_FALSE(v.suggested_images(10));
}

TEST(PairedDifference, is_of_the_differences) {
    const std::vector<double> a{0.5, 0.6, 0.9}, b{0.4, 0.5, 0.8};
    const Summary d = paired_difference(a, b, 0.95);
    EXPECT_NEAR(d.mean, 0.1, 1e-15);
    EXPECT_NEAR(d.sd, 0, 1e-15);
    EXPECT_THROW(paired_difference(a, std::vector<double>{1}, 0.95), std::invalid_argument);
}

TEST(Checkpoints, grow_by_half) {
    std::vector<int64_t> seen;
    for (int64_t n = 0; n <= 160; ++n)
        if (is_checkpoint(n)) seen.push_back(n);
    EXPECT_EQ(seen, (std::vector<int64_t>{20, 30, 45, 68, 102, 153}));
    EXPECT_EQ(next_checkpoint(0), 20);
    EXPECT_EQ(next_checkpoint(20), 30);
    EXPECT_EQ(next_checkpoint(31), 45);
}

}  // namespace
}  // namespace mho
