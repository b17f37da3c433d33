// Rank and loss of one image, at their edges: ties, numbers that are none, losses beyond the limit.
#include "kernels/steps/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace mho {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

int64_t rank(const std::vector<float>& logits, int64_t label) {
    return rank_of(logits.data(), static_cast<int64_t>(logits.size()), label);
}
double loss(const std::vector<float>& logits, int64_t label) {
    return static_cast<double>(fixed_loss(logits.data(), static_cast<int64_t>(logits.size()), label)) /
           kLossUnits;
}

TEST(Rank, counts_larger_logits_and_equal_ones_of_lower_class) {
    const std::vector<float> logits{2, 5, 2, -1, 5};
    EXPECT_EQ(rank(logits, 1), 0);
    EXPECT_EQ(rank(logits, 4), 1);
    EXPECT_EQ(rank(logits, 0), 2);
    EXPECT_EQ(rank(logits, 2), 3);
    EXPECT_EQ(rank(logits, 3), 4);
    EXPECT_EQ(rank({0, 0, -0.0f}, 2), 2);
}

TEST(Rank, of_a_logit_that_is_no_number_is_the_last) {
    EXPECT_EQ(rank({1, kNaN, 0}, 1), 3);
    EXPECT_EQ(rank({1, kNaN, 0}, 0), 0);
    EXPECT_EQ(rank({1, kNaN, 0}, 2), 1);
}

TEST(Loss, is_that_of_the_softmax_to_half_a_unit_and_the_roundings_of_floats) {
    const std::vector<float> logits{0.5f, -2, 3.25f};
    double sum = 0;
    for (float x : logits) sum += std::exp(static_cast<double>(x));
    for (size_t label = 0; label < logits.size(); ++label) {
        const double exact = std::log(sum) - static_cast<double>(logits[label]);
        // Logarithm, exponential and sums to a few units of 2^-24 of numbers up to 8.
        EXPECT_NEAR(loss(logits, static_cast<int64_t>(label)), exact, 0.5 / kLossUnits + 8 * 8 * 0x1p-24);
    }
    EXPECT_EQ(loss({200, 0}, 0), 0);
    EXPECT_EQ(loss({200, 0}, 1), 200);
}

TEST(Loss, of_one_image_ends_at_its_limit) {
    EXPECT_EQ(loss({3e7f, 0}, 1), static_cast<double>(kLossLimit));
    for (float hopeless : {kNaN, -kInfinity})
        EXPECT_EQ(loss({0, hopeless}, 1), static_cast<double>(kLossLimit)) << hopeless;
}

}  // namespace
}  // namespace mho
