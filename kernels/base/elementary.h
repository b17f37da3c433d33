// kernels/base/elementary.h - exp, tanh and erf in float32.
// Only IEEE operations in one order (see kernels/base/normal.h for the logarithm): the same bits on every CPU
// and GPU.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/base/host_device.h"
#include "kernels/base/normal.h"

namespace mho {

/// Largest errors against exact values; the tests read these constants.
inline constexpr double kExpMaxUlp = 1.5;        ///< where the result is a normal number
inline constexpr double kTanhMaxError = 2.0e-7;  ///< absolute
inline constexpr double kErfMaxError = 4.0e-7;   ///< absolute

/// x cut to [low, high]; low where x is no number. On CPUs without fminf and fmaxf, which loops over it would
/// call one by one.
MHO_FORMULA float cut(float x, float low, float high) {
#if defined(__CUDACC__)
    return fminf(fmaxf(x, low), high);
#else
    return x > low ? (x < high ? x : high) : low;
#endif
}

/// e^x; 0 below -87.3 (no subnormal results), infinity above 88.72. x = n log 2 + r, |r| <= .35: the Taylor
/// series of e^r to r^7, then two scalings by powers of two.
MHO_FORMULA float exp_of(float x) {
    const float bounded = fminf(fmaxf(x, -87.3f), 88.8f);
    const float n = rintf(bounded * 1.44269504f);
    float r = fmaf(-n, 0x1.62ep-1f, bounded);
    r = fmaf(-n, 0x1.0bfbe8p-15f, r);
    float p = fmaf(r, 1.0f / 5040, 1.0f / 720);
    p = fmaf(r, p, 1.0f / 120);
    p = fmaf(r, p, 1.0f / 24);
    p = fmaf(r, p, 1.0f / 6);
    p = fmaf(r, p, 0.5f);
    p = fmaf(r, p, 1.0f);
    p = fmaf(r, p, 1.0f);
    const int32_t power = static_cast<int32_t>(n), half = power / 2;
    const float scaled = p * float_of_bits(static_cast<uint32_t>(half + 127) << 23) *
                         float_of_bits(static_cast<uint32_t>(power - half + 127) << 23);
    return x < -87.3f ? 0.0f : scaled;
}

/// Taylor series up to |x| = .25, else 1 - 2/(e^(2|x|) + 1) with the sign of x.
MHO_FORMULA float tanh_of(float x) {
    const float a = fabsf(x), z = x * x;
    float series = fmaf(z, 62.0f / 2835, -17.0f / 315);
    series = fmaf(z, series, 2.0f / 15);
    series = fmaf(z, series, -1.0f / 3);
    series = fmaf(x * z, series, x);
    const float far = copysignf(1.0f - 2.0f / (exp_of(2.0f * a) + 1.0f), x);
    return a < 0.25f ? series : far;
}

/// Taylor series up to |x| = .5, else formula 7.1.26 of Abramowitz and Stegun (1964).
MHO_FORMULA float erf_of(float x) {
    const float a = fabsf(x), z = x * x;
    float series = fmaf(z, -1.0f / 1320, 1.0f / 216);
    series = fmaf(z, series, -1.0f / 42);
    series = fmaf(z, series, 0.1f);
    series = fmaf(z, series, -1.0f / 3);
    series = 1.12837917f * fmaf(x * z, series, x);
    const float t = 1.0f / fmaf(0.3275911f, a, 1.0f);
    float p = fmaf(t, 1.061405429f, -1.453152027f);
    p = fmaf(t, p, 1.421413741f);
    p = fmaf(t, p, -0.284496736f);
    p = fmaf(t, p, 0.254829592f);
    const float far = copysignf(1.0f - t * p * exp_of(-z), x);
    return a < 0.5f ? series : far;
}

}  // namespace mho
