// Elementary functions and activations against the C library's double precision.
#include "kernels/base/elementary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <vector>

#include "kernels/base/bf16.h"
#include "kernels/cpu/elementwise.h"

namespace mho {
namespace {

std::vector<float> arguments(float low, float high) {
    std::vector<float> x;
    for (int i = 0; i <= 1'000'000; ++i) x.push_back(low + (high - low) * static_cast<float>(i) / 1e6f);
    for (float tiny : {0.0f, -0.0f, 1e-20f, -1e-20f, 0x1p-126f}) x.push_back(tiny);
    return x;
}

double largest_error(float low, float high, float (*ours)(float), double (*exact)(double)) {
    double worst = 0;
    for (float x : arguments(low, high))
        worst = std::max(worst, std::abs(static_cast<double>(ours(x)) - exact(static_cast<double>(x))));
    return worst;
}

TEST(Elementary, exp_is_as_exact_as_stated) {
    double worst = 0;
    for (float x : arguments(-87.0f, 88.5f)) {
        const double exact = std::exp(static_cast<double>(x));
        const float nearest = static_cast<float>(exact);
        const double ulp = static_cast<double>(std::nextafter(nearest, INFINITY) - nearest);
        worst = std::max(worst, std::abs(static_cast<double>(exp_of(x)) - exact) / ulp);
    }
    EXPECT_LT(worst, kExpMaxUlp);
}

TEST(Elementary, exp_at_its_ends) {
    EXPECT_EQ(exp_of(-88.0f), 0.0f);
    EXPECT_EQ(exp_of(-INFINITY), 0.0f);
    EXPECT_EQ(exp_of(89.0f), INFINITY);
    EXPECT_EQ(exp_of(INFINITY), INFINITY);
    EXPECT_EQ(exp_of(0.0f), 1.0f);
}

TEST(Elementary, tanh_and_erf_are_as_exact_as_stated) {
    EXPECT_LT(largest_error(-12, 12, tanh_of, std::tanh), kTanhMaxError);
    EXPECT_LT(largest_error(-6, 6, erf_of, std::erf), kErfMaxError);
    for (float far : {50.0f, 1e10f, INFINITY}) {
        EXPECT_EQ(tanh_of(far), 1.0f);
        EXPECT_EQ(tanh_of(-far), -1.0f);
        EXPECT_EQ(erf_of(-far), -1.0f);
    }
}

TEST(Elementary, bfloat16_is_the_nearest_with_eight_bits) {
    std::vector<float> all = arguments(-3, 3);
    for (float tie : {1.00390625f, 1.01171875f, -1.00390625f, 0x1.fep127f, 0x1.ffp127f, 0x1p-140f, INFINITY})
        all.push_back(tie);
    for (float x : all) {
        // Eight bits of significand, fewer below 2^-126; what rounds past the largest is infinite.
        const int last = std::max(x == 0 || std::isinf(x) ? 0 : std::ilogb(x), -126) - 7;
        const double rounded = std::ldexp(std::nearbyint(std::ldexp(double{x}, -last)), last);
        const float nearest =
            std::abs(rounded) >= 0x1p128 ? std::copysign(INFINITY, x) : static_cast<float>(rounded);
        ASSERT_EQ(float_of_bf16(bf16_of(x)), nearest) << x;
    }
    EXPECT_TRUE(std::isnan(float_of_bf16(bf16_of(NAN))));
    const float signalling = std::bit_cast<float>(0x7f800001u);
    EXPECT_TRUE(std::isnan(float_of_bf16(bf16_of(signalling))));
}

struct Case {
    Activation activation;
    std::function<double(double)> exact;
    double
        tolerance;  // absolute, for |x| <= 8: errors of exp, tanh, erf and a few roundings, times at most |x|
};

double hard_sigmoid(double x, double alpha, double beta) {
    return std::min(std::max(alpha * x + beta, 0.0), 1.0);
}

TEST(Elementary, activations_are_what_their_names_say) {
    using K = ActivationKind;
    const double one = 0x1p-22, through_tanh = 8 * (kTanhMaxError + 0x1p-22),
                 through_erf = 8 * (kErfMaxError + 0x1p-22);
    const std::vector<Case> cases{
        {{K::relu, 0, 0}, [](double x) { return std::max(x, 0.0); }, 0},
        {{K::clip, -1, 2.5f}, [](double x) { return std::min(std::max(x, -1.0), 2.5); }, 0},
        {{K::leaky_relu, 0.125f, 0}, [](double x) { return x < 0 ? 0.125 * x : x; }, 0},
        {{K::sigmoid, 0, 0}, [](double x) { return 1 / (1 + std::exp(-x)); }, one},
        {{K::hard_sigmoid, 0.25f, 0.5f}, [](double x) { return hard_sigmoid(x, 0.25, 0.5); }, one},
        {{K::hard_swish, 0, 0}, [](double x) { return x * hard_sigmoid(x, 1.0 / 6, 0.5); }, 8 * one},
        {{K::silu, 0, 0}, [](double x) { return x / (1 + std::exp(-x)); }, 8 * one},
        {{K::tanh, 0, 0}, [](double x) { return std::tanh(x); }, kTanhMaxError},
        {{K::gelu, 0, 0}, [](double x) { return x / 2 * std::erfc(-x / std::sqrt(2.0)); }, through_erf},
        {{K::gelu_tanh, 0, 0},
         [](double x) { return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); },
         4 * through_tanh},
        {{K::erf, 0, 0}, [](double x) { return std::erf(x); }, kErfMaxError},
        {{K::exp, 0, 0}, [](double x) { return std::exp(x); }, 2981 * 4 * 0x1p-23},
        {{K::sqrt, 0, 0}, [](double x) { return std::sqrt(std::abs(x)); }, one},
    };
    for (ActivationKind kind : kActivations)
        EXPECT_TRUE(
            std::any_of(cases.begin(), cases.end(), [&](const Case& c) { return c.activation.kind == kind; }))
            << name_of(kind) << " has no case here";
    for (const Case& c : cases) {
        std::vector<float> x = arguments(-8, 8), y(x.size());
        if (c.activation.kind == K::sqrt)
            for (float& v : x) v = std::abs(v);
        cpu::activate(c.activation, x.data(), y.data(), static_cast<int64_t>(x.size()));
        double worst = 0;
        for (size_t i = 0; i < x.size(); ++i)
            worst = std::max(worst, std::abs(static_cast<double>(y[i]) - c.exact(static_cast<double>(x[i]))));
        EXPECT_LE(worst, c.tolerance) << name_of(c.activation.kind);
    }
}

}  // namespace
}  // namespace mho
