// Statistics against closed forms, published tables and simulated coverage. docs/physics.md section 8.
#include "host/statistics/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <random>

namespace mho {
namespace {

/// The incomplete beta function, by its integral's midpoint rule.
double beta_below(double a, double b, double x) {
    constexpr int kSteps = 400000;
    double sum = 0;
    for (int i = 0; i < kSteps; ++i) {
        const double t = (i + .5) / kSteps * x;
        sum += std::pow(t, a - 1) * std::pow(1 - t, b - 1) * x / kSteps;
    }
    return sum / std::exp(std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b));
}

TEST(Summary, of_five_numbers) {
    const std::vector<double> x{4, 1, 3, 2, 10};
    const Summary s = summarise(x, 0.95);
    EXPECT_EQ(s.count, 5);
    EXPECT_DOUBLE_EQ(s.mean, (4 + 1 + 3 + 2 + 10) / 5.0);
    EXPECT_DOUBLE_EQ(*s.sd, std::sqrt((0.0 + 9 + 1 + 4 + 36) / 4));
    EXPECT_EQ(s.min, 1);
    EXPECT_EQ(s.median, 3);
    EXPECT_EQ(s.max, 10);
    const double t = 2.776;  // Student's t, 4 degrees of freedom, 97.5 %: printed tables
    EXPECT_NEAR(s.mean_interval->high - s.mean, t * *s.sd / std::sqrt(5.0), 5e-4 * *s.sd);
    EXPECT_NEAR(s.mean - s.mean_interval->low, t * *s.sd / std::sqrt(5.0), 5e-4 * *s.sd);
}

TEST(Summary, one_value_has_no_interval_and_none_is_refused) {
    EXPECT_FALSE(summarise(std::vector<double>{3}, 0.95).mean_interval);
    EXPECT_FALSE(summarise(std::vector<double>{3}, 0.95).sd);
    EXPECT_THROW(summarise(std::vector<double>{}, 0.95), std::invalid_argument);
    const Summary equal = summarise(std::vector<double>{3, 3, 3}, 0.95);
    EXPECT_EQ(equal.mean_interval->low, 3);
    EXPECT_EQ(equal.mean_interval->high, 3);
}

TEST(Accuracy, is_narrow_enough_up_to_its_half_width) {
    const RightImages x{{40, 10, 30, 20, 60}, 100};
    const double half = *summarise(x, 0.95).half_width();
    EXPECT_GT(half, 0);
    EXPECT_TRUE(narrow_enough(x, half, 0.95));
    EXPECT_FALSE(narrow_enough(x, std::nextafter(half, 0.0), 0.95));
    EXPECT_FALSE(narrow_enough(x, half, 0.96));
    EXPECT_FALSE(narrow_enough({{30}, 100}, 1e9, 0.95)) << "one chip says nothing of the next";
}

TEST(Accuracy, interval_of_five_chips_by_hand) {
    // Mean .32, squares .148 and one image's 1e-4, over 4 and over 5: variance of the mean .007405. As many
    // trials as vary like that, (t's 2.7764 / 1.95996)^2 = 2.00667 times fewer: .32 x .68 / .007405
    // / 2.00667, with half an image more right and wrong.
    const RightImages x{{40, 10, 30, 20, 60}, 100};
    const double p = (160 + .5) / 501, trials = p * (1 - p) / ((.148 + 1e-4) / 20) / 2.00667;
    const Summary s = summarise(x, 0.95);
    EXPECT_DOUBLE_EQ(s.mean, .32);
    EXPECT_NEAR(*s.sd, std::sqrt(.148 / 4), 1e-12);
    // At the ends of Clopper and Pearson's interval a binomial sum of tails is 2.5 %: by the incomplete beta
    // function.
    const double right = .32 * trials, wrong = trials - right;
    EXPECT_NEAR(beta_below(right, wrong + 1, s.mean_interval->low), .025, 1e-5);
    EXPECT_NEAR(beta_below(right + 1, wrong, s.mean_interval->high), .975, 1e-5);
}

TEST(Accuracy, one_chip_leaves_the_mean_open_and_two_equal_ones_do) {
    const Summary one = summarise(RightImages{{70}, 100}, 0.95);
    EXPECT_EQ(one.mean, .7);
    EXPECT_FALSE(one.sd || one.mean_interval || one.new_images_interval || one.half_width());
    const Summary two = summarise(RightImages{{70, 70}, 100}, 0.95);
    EXPECT_EQ(*two.sd, 0);
    EXPECT_LT(two.mean_interval->low, .69);
    EXPECT_GT(two.mean_interval->high, .71);
    EXPECT_THROW(summarise(RightImages{}, 0.95), std::invalid_argument);
}

TEST(Accuracy, intervals_lie_within_0_and_1_around_the_mean) {
    std::mt19937_64 random(5);
    for (int i = 0; i < 3000; ++i) {
        RightImages x{{}, std::uniform_int_distribution<int64_t>(1, i % 3 ? 20 : 50000)(random)};
        const int64_t chips = std::uniform_int_distribution<int64_t>(2, 6)(random);
        for (int64_t c = 0; c < chips; ++c)  // all right and all wrong often
            x.right.push_back(std::clamp<int64_t>(
                std::uniform_int_distribution<int64_t>(-x.images, 2 * x.images)(random), 0, x.images));
        for (double confidence : {0.5, 0.95, 0.999}) {
            const Summary s = summarise(x, confidence);
            for (const Interval& interval : {*s.mean_interval, *s.new_images_interval}) {
                ASSERT_TRUE(0 <= interval.low && interval.low <= s.mean && s.mean <= interval.high &&
                            interval.high <= 1)
                    << interval.low << " " << s.mean << " " << interval.high << ": "
                    << ::testing::PrintToString(x.right) << " of " << x.images;
                ASSERT_LT(interval.low, interval.high);
            }
        }
    }
}

/// Millions of trials: found in no time, and where the two ways meet they agree.
TEST(Accuracy, intervals_of_many_alike_chips_are_found_at_once) {
    const RightImages many{std::vector<int64_t>(100000, 45000), 50000};
    const auto begin = std::chrono::steady_clock::now();
    const Interval interval = *summarise(many, .95).mean_interval;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
    EXPECT_LT(interval.low, .9);
    EXPECT_GT(interval.high, .9);
    for (int64_t trials : {199'000, 201'000}) {  // of which half are right
        const Yield y = yield_of(trials / 2, trials, .95);
        const double half = 1.959964 * .5 / std::sqrt(static_cast<double>(trials));
        EXPECT_NEAR(y.interval.low, .5 - half, .005 * half) << trials;
        EXPECT_NEAR(y.interval.high, .5 + half, .005 * half) << trials;
    }
}

/// How chips come by their accuracy on 400 images: a share that each chip draws by a beta distribution around
/// `mean`, of which every image is right independently, or on some images all chips agree.
struct ChipModel {
    const char* name;
    double correlation;  // of two images on one chip: how far chips lie apart
    double agreed;       // share of the images that come out alike on every chip
};
constexpr ChipModel kChipModels[] = {
    {"alike", 0, 0}, {"a little apart", .001, 0}, {"far apart", .01, 0}, {"on half of the images", .002, .5}};

struct Experiment {
    RightImages chips;
    double truth;
};

Experiment draw_chips(const ChipModel& model, double mean, int64_t chips, std::mt19937_64& random) {
    constexpr int64_t kImages = 400;
    const int64_t agreed = static_cast<int64_t>(model.agreed * kImages), open = kImages - agreed;
    const int64_t agreed_right = std::llround(mean * static_cast<double>(agreed));
    Experiment e{{{}, kImages},
                 (static_cast<double>(agreed_right) + mean * static_cast<double>(open)) / kImages};
    for (int64_t c = 0; c < chips; ++c) {
        double p = mean;
        if (model.correlation > 0) {
            const double spread = 1 / model.correlation - 1;
            const double a = std::gamma_distribution<double>(mean * spread)(random),
                         b = std::gamma_distribution<double>((1 - mean) * spread)(random);
            p = a / (a + b);
        }
        e.chips.right.push_back(agreed_right + std::binomial_distribution<int64_t>(open, p)(random));
    }
    return e;
}

/// 500 experiments each: at least the level less two percentage points, even of very few chips.
TEST(Accuracy, intervals_cover_as_often_as_they_say) {
    constexpr int kExperiments = 500;
    for (const ChipModel& model : kChipModels)
        for (double mean : {.01, .5, .99})
            for (int64_t chips : {2, 3, 5, 20, 100}) {
                std::mt19937_64 random(11);
                int covered = 0;
                for (int i = 0; i < kExperiments; ++i) {
                    const Experiment e = draw_chips(model, mean, chips, random);
                    const Interval interval = *summarise(e.chips, .95).mean_interval;
                    covered += interval.low <= e.truth && e.truth <= interval.high;
                }
                EXPECT_GE(covered, static_cast<int>(kExperiments * .93))
                    << model.name << ", mean " << mean << ", " << chips << " chips, seed 11";
                if (model.agreed == 0 && mean == .5) {
                    EXPECT_LE(covered, kExperiments * .99) << "not for being too wide: " << chips;
                }
            }
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

/// Images differ in how hard they are, chips in how much they err: all chips try the same images. The truth
/// is the mean over chips and images that were never drawn.
TEST(Accuracy, new_images_interval_covers_as_often_as_it_says) {
    constexpr int kExperiments = 300, kImages = 200, kTruth = 2000000;
    const auto chance = [](double logit) { return 1 / (1 + std::exp(-logit)); };
    for (double centre : {0.0, 4.0})
        for (int64_t chips : {2, 5, 20}) {
            std::mt19937_64 random(12);
            std::normal_distribution<double> image(centre, 3), chip(0, .3);
            double truth = 0;
            for (int i = 0; i < kTruth; ++i) truth += chance(image(random) + chip(random)) / kTruth;
            int covered = 0;
            for (int i = 0; i < kExperiments; ++i) {
                std::vector<double> hard(kImages);
                for (double& h : hard) h = image(random);
                RightImages drawn{{}, kImages};
                for (int64_t c = 0; c < chips; ++c) {
                    const double shift = chip(random);
                    drawn.right.push_back(std::count_if(hard.begin(), hard.end(), [&](double h) {
                        return std::bernoulli_distribution(chance(h + shift))(random);
                    }));
                }
                const Interval interval = *summarise(drawn, .95).new_images_interval;
                covered += interval.low <= truth && truth <= interval.high;
            }
            EXPECT_GE(covered, static_cast<int>(kExperiments * .93))
                << centre << ", " << chips << " chips, seed 12";
        }
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
    const VarianceComponents v = variance_components({correct, images});
    // Chips and the images that each has right by chance. The variance of a variance estimate from 2000
    // normal chips is 2 v^2 / 1999: five of its sd, 16 %.
    EXPECT_NEAR(v.chips, sd * sd + 0.21 / images, 0.16 * (sd * sd + 0.21 / images));
    EXPECT_NEAR(v.images, mean * (1 - mean), 0.01);
}

TEST(VarianceComponents, of_three_chips_by_hand) {
    const VarianceComponents v = variance_components({{60, 70, 80}, 100});
    EXPECT_NEAR(v.images, 0.7 * 0.3, 1e-15);
    EXPECT_NEAR(v.chips, (0.1 * 0.1 + 0.1 * 0.1) / 2, 1e-15);
    EXPECT_NEAR(*v.suggested_images(10000, 0), std::sqrt(0.21 * 10000 / 0.01), 1e-9);
    EXPECT_EQ(*v.suggested_images(0.01, 0), 1);             // no chip is looked at with less than one image
    EXPECT_EQ(*v.suggested_images(100, 5), 100 / 5.0 - 5);  // nor fewer chips than say how they differ
}

TEST(VarianceComponents, suggested_images_vary_least) {
    const VarianceComponents v{.004, .2};
    const double cost = 30, time = 20 * (cost + 500);  // of k chips: time / (cost + images)
    const auto variance = [&](double images) { return v.chips * (cost + images) / time + v.images / images; };
    const double images = *v.suggested_images(time, cost);
    EXPECT_LT(variance(images), variance(images * 1.01));
    EXPECT_LT(variance(images), variance(images / 1.01));
}

TEST(VarianceComponents, equal_chips_have_no_spread) {
    const VarianceComponents v = variance_components({{7, 7, 7}, 30});  // whose mean is no binary fraction
    EXPECT_EQ(v.chips, 0);
    EXPECT_FALSE(v.suggested_images(10, 0));
}

TEST(PairedDifference, is_of_the_differences) {
    const RightImages a{{50, 60, 90}, 100}, b{{40, 50, 80}, 100};
    const Summary d = paired_difference(a, b, 0.95);
    EXPECT_NEAR(d.mean, 0.1, 1e-15);
    EXPECT_EQ(*d.sd, 0);
    EXPECT_NEAR(d.half_width().value(), 4.3027 * .01 / std::sqrt(6), 1e-6)
        << "as if one chip more differed by an image";
    EXPECT_THROW(paired_difference(a, {{1}, 100}, 0.95), std::invalid_argument);
    EXPECT_THROW(paired_difference(a, {{50, 60, 90}, 200}, 0.95), std::invalid_argument);
}

TEST(PairedDifference, lies_within_what_accuracies_can_differ_by) {
    const Summary d = paired_difference({{100, 0}, 100}, {{0, 90}, 100}, 0.95);
    EXPECT_EQ(d.mean_interval->low, -1);
    EXPECT_EQ(d.mean_interval->high, 1);
}

TEST(PairedDifference, of_one_image_on_one_chip_of_twenty_is_none) {
    std::vector<int64_t> a(20, 90), b(20, 90);
    b[3] = 91;
    const Interval interval = *paired_difference({a, 100}, {b, 100}, 0.95).mean_interval;
    EXPECT_LT(interval.low, 0);
    EXPECT_GT(interval.high, 0);
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
