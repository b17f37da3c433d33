// kernels/normal.h - normal and uniform draws from random words. docs/physics.md section 6.
// Only IEEE +, -, *, /, fma, sqrt and integer operations, in one order: the same bits on every CPU and GPU.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/host_device.h"
#include "kernels/rng.h"

namespace mho {

/// Largest error of log_unit against the exact logarithm, in units in the last place; the test measures it.
inline constexpr double kLogMaxUlp = 2.0;
/// Largest absolute error of sin_turn and cos_turn.
inline constexpr double kTurnMaxError = 1.2e-7;
/// No draw is larger: sqrt(-2 log 2^-33).
inline constexpr float kNormalLimit = 6.77f;

MHO_FORMULA float float_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

MHO_FORMULA uint32_t bits_of_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/// (w + 1/2) 2^-32, rounded to float32: in [2^-33, 1].
MHO_FORMULA float unit_of_word(uint32_t w) { return fmaf(static_cast<float>(w), 0x1p-32f, 0x1p-33f); }

/// Natural logarithm of a normal positive float32. With u = 2^e m, m in [sqrt(1/2), sqrt(2)), and s = (m -
/// 1)/(m + 1): log u = e log 2 + 2 (s + s^3/3 + s^5/5 + ...). |s| <= .172, so the term after s^11 is below
/// 2^-32 of the sum.
MHO_FORMULA float log_unit(float u) {
    const uint32_t shifted = bits_of_float(u) + (0x3f800000u - 0x3f3504f3u);
    const float e = static_cast<float>(static_cast<int32_t>(shifted >> 23) - 127);
    const float m = float_of_bits((shifted & 0x007fffffu) + 0x3f3504f3u);
    const float s = (m - 1.0f) / (m + 1.0f), z = s * s;
    float tail = fmaf(z, 2.0f / 11, 2.0f / 9);
    tail = fmaf(z, tail, 2.0f / 7);
    tail = fmaf(z, tail, 2.0f / 5);
    tail = fmaf(z, tail, 2.0f / 3);
    const float log_m = fmaf(s * z, tail, 2.0f * s);
    const float log2_high = 0x1.62ep-1f, log2_low = 0x1.0bfbe8p-15f;  // the high part times e is exact
    return fmaf(e, log2_high, fmaf(e, log2_low, log_m));
}

/// Sine and cosine of 2 pi u, u in [0, 1].
struct SineCosine {
    float sine, cosine;
};

/// The nearest quarter turn is taken off exactly; what is left, at most pi/4, goes through the Taylor series,
/// cut where the next term is below 2^-26.
MHO_FORMULA SineCosine turn(float u) {
    const float quarter = rintf(4.0f * u);
    const float x = fmaf(4.0f, u, -quarter) * 1.57079632679f, z = x * x;
    float sine = fmaf(z, 1.0f / 362880, -1.0f / 5040);
    sine = fmaf(z, sine, 1.0f / 120);
    sine = fmaf(z, sine, -1.0f / 6);
    sine = fmaf(x * z, sine, x);
    float cosine = fmaf(z, -1.0f / 3628800, 1.0f / 40320);
    cosine = fmaf(z, cosine, -1.0f / 720);
    cosine = fmaf(z, cosine, 1.0f / 24);
    cosine = fmaf(z, cosine, -0.5f);
    cosine = fmaf(z, cosine, 1.0f);
    const int32_t q = static_cast<int32_t>(quarter);
    const bool odd = (q & 1) != 0;
    const float a = odd ? cosine : sine, b = odd ? sine : cosine;
    return {(q & 2) != 0 ? -a : a, ((q + 1) & 2) != 0 ? -b : b};
}

/// Two independent N(0, 1) draws from two words (Box-Muller), |n| <= kNormalLimit.
struct Normal2 {
    float first, second;
};

MHO_FORMULA Normal2 normal_pair(uint32_t radius_word, uint32_t angle_word) {
    const float radius = sqrtf(-2.0f * log_unit(unit_of_word(radius_word)));
    const SineCosine angle = turn(unit_of_word(angle_word));
    return {radius * angle.cosine, radius * angle.sine};
}

/// N(0, 1) draw of one element: words (0, 1) of its block make elements 0 and 1, words (2, 3) elements 2
/// and 3.
MHO_HD inline float normal(const RandomStream& stream, uint64_t element) {
    const Words4 w = philox_block(stream, element / 4);
    const bool upper = element % 4 >= 2;
    const Normal2 pair = normal_pair(upper ? w.word[2] : w.word[0], upper ? w.word[3] : w.word[1]);
    return element % 2 == 0 ? pair.first : pair.second;
}

/// Uniform draw in the open interval (-1, 1): (2 k + 1) 2^-24 - 1 with the upper 24 bits k of the word, exact
/// in float32.
MHO_FORMULA float uniform_of_word(uint32_t w) {
    return static_cast<float>(static_cast<int32_t>(w >> 8) * 2 + 1 - (1 << 24)) * 0x1p-24f;
}

MHO_HD inline float uniform(const RandomStream& stream, uint64_t element) {
    return uniform_of_word(word(stream, element));
}

}  // namespace mho
