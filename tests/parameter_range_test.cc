// R of the parameter-level model against values worked out by hand. docs/physics.md section 5.
#include "host/chip/parameter_range.h"

#include <gtest/gtest.h>

#include <vector>

namespace mho {
namespace {

ParameterConfig measured(RangeRule range, double quantile = 1) {
    ParameterConfig config;
    config.range = range;
    config.quantile = quantile;
    return config;
}

const ParameterConfig kHalf = measured(RangeRule::half), kMaxAbs = measured(RangeRule::max_abs);

ParameterConfig with(ParameterScale scale, ParameterConfig config) {
    config.scale = scale;
    return config;
}

TEST(ParameterRange, half_is_half_the_extent_and_max_abs_the_largest_magnitude) {
    const std::vector<float> values{-1, 0.5f, 3};
    EXPECT_EQ(parameter_range(values, kHalf), (3.0 - -1.0) / 2);
    EXPECT_EQ(parameter_range(values, kMaxAbs), 3.0);
    EXPECT_EQ(parameter_range(std::vector<float>{-4, 1}, kMaxAbs), 4.0);
    EXPECT_EQ(parameter_range(std::vector<float>{}, kHalf), 0.0);
    EXPECT_EQ(parameter_range(std::vector<float>{7}, kHalf), 0.0);
}

TEST(ParameterRange, quantile_keeps_the_central_part) {
    std::vector<float> values;
    for (int i = 0; i <= 100; ++i) values.push_back(static_cast<float>(i));
    // Central 90 %: from the 5th to the 95th percentile, which are the values 5 and 95.
    EXPECT_DOUBLE_EQ(parameter_range(values, measured(RangeRule::half, 0.9)), (95.0 - 5.0) / 2);
    EXPECT_DOUBLE_EQ(parameter_range(values, measured(RangeRule::max_abs, 0.9)), 90.0);
}

TEST(ParameterRange, single_merges_weights_and_biases) {
    const std::vector<float> weight{-1, 1}, bias{0, 6};
    const LayerRanges r = layer_ranges(weight, bias, with(ParameterScale::single, kHalf));
    EXPECT_EQ(r.weight, (6.0 - -1.0) / 2);
    EXPECT_EQ(r.bias, r.weight);
}

TEST(ParameterRange, own_keeps_them_apart) {
    const std::vector<float> weight{-1, 1}, bias{0, 6};
    const LayerRanges r = layer_ranges(weight, bias, with(ParameterScale::own, kHalf));
    EXPECT_EQ(r.weight, 1.0);
    EXPECT_EQ(r.bias, 3.0);
}

TEST(ParameterRange, bi_scale_matches_biases_to_weights) {
    const std::vector<float> weight{-1, 1}, bias{0, 6};
    const double f = 3.0 / 1.0;                  // range(bias) / range(weight)
    const double merged = (6.0 / f - -1.0) / 2;  // of {b/f, w} = {0, 2, -1, 1}
    const LayerRanges r = layer_ranges(weight, bias, with(ParameterScale::bi_scale, kHalf));
    EXPECT_DOUBLE_EQ(r.weight, merged);
    EXPECT_DOUBLE_EQ(r.bias, f * merged);
}

TEST(ParameterRange, bi_scale_equals_own_with_max_abs) {
    const std::vector<float> weight{-0.3f, 0.2f, 0.1f}, bias{1.5f, -0.2f, 0.7f};
    const LayerRanges matched = layer_ranges(weight, bias, with(ParameterScale::bi_scale, kMaxAbs));
    const LayerRanges own = layer_ranges(weight, bias, with(ParameterScale::own, kMaxAbs));
    EXPECT_DOUBLE_EQ(matched.weight, own.weight);
    EXPECT_DOUBLE_EQ(matched.bias, own.bias);
}

TEST(ParameterRange, without_bias_every_scale_is_the_weights_own) {
    const std::vector<float> weight{-1, 3};
    for (ParameterScale scale : {ParameterScale::single, ParameterScale::own, ParameterScale::bi_scale}) {
        EXPECT_EQ(layer_ranges(weight, {}, with(scale, kHalf)).weight, 2.0);
        const double unused = scale == ParameterScale::single ? 2.0 : 0.0;
        EXPECT_EQ(layer_ranges(weight, {}, with(scale, kHalf)).bias, unused);
    }
}

TEST(ParameterRange, bi_scale_without_an_extent_to_match_is_own) {
    const std::vector<float> weight{-1, 1}, equal{5, 5};
    const LayerRanges r = layer_ranges(weight, equal, with(ParameterScale::bi_scale, kHalf));
    EXPECT_EQ(r.weight, 1.0);
    EXPECT_EQ(r.bias, 0.0);
    EXPECT_EQ(layer_ranges(equal, weight, with(ParameterScale::bi_scale, kHalf)).bias, 1.0);
}

}  // namespace
}  // namespace mho
