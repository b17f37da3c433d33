// kernels/base/normal.h - normal and uniform draws from random words. docs/physics.md section 6.
// Only IEEE +, -, *, fma, sqrt and integer operations, in one order: the same bits on every CPU and GPU.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/base/float_bits.h"
#include "kernels/base/host_device.h"
#include "kernels/base/rng.h"

namespace mho {

/// Largest error of log_unit against the exact logarithm, in units in the last place; the test measures it.
inline constexpr double kLogMaxUlp = 1.0;
/// Largest absolute error of turn_of_word.
inline constexpr double kTurnMaxError = 1.2e-7;
/// No draw is larger: sqrt(-2 log 2^-33).
inline constexpr float kNormalLimit = 6.77f;

/// (w + 1/2) 2^-32, rounded to float32: in [2^-33, 1].
MHO_FORMULA float unit_of_word(uint32_t w) { return fmaf(static_cast<float>(w), 0x1p-32f, 0x1p-33f); }

/// Natural logarithm of a normal positive float32. With u = 2^e (1 + f), 1 + f in [sqrt(1/2), sqrt(2)):
/// log u = e log 2 + f + f^2 q(f), q minimax of the relative error of log(1 + f) (4e-9). The rounded log 2 is
/// off by 2e-9 only, so one fma adds it.
MHO_FORMULA float log_unit(float u) {
    const uint32_t bits = bits_of_float(u), above = bits - 0x3f3504f3u;  // sqrt(1/2)
    const float e = static_cast<float>(static_cast<int32_t>(above) >> 23);
    const float f = float_of_bits(bits - (above & 0xff800000u)) - 1.0f;
    float q = fmaf(f, -0x1.3836eap-4f, 0x1.084b12p-3f);
    q = fmaf(f, q, -0x1.0f36f8p-3f);
    q = fmaf(f, q, 0x1.227104p-3f);
    q = fmaf(f, q, -0x1.542770p-3f);
    q = fmaf(f, q, 0x1.99a3fep-3f);
    q = fmaf(f, q, -0x1.000426p-2f);
    q = fmaf(f, q, 0x1.555550p-2f);
    q = fmaf(f, q, -0x1.fffff8p-2f);
    return fmaf(e, 0.693147181f, fmaf(f * f, q, f));
}

struct SineCosine {
    float sine, cosine;
};

/// Sine and cosine of 2 pi (w + 1/2) 2^-32. The upper bits of the word give the nearest quarter turn, the
/// lower 30 the way x from there, at most pi/4, for which minimax polynomials have errors below 4e-9.
MHO_FORMULA SineCosine turn_of_word(uint32_t w) {
    const float x = static_cast<float>(static_cast<int32_t>(w << 2 | 2u)) * 0x1.921fb6p-32f, z = x * x;
    float sine = fmaf(z, -0x1.9943e0p-13f, 0x1.11073ap-7f);
    sine = fmaf(z, sine, -0x1.555546p-3f);
    sine = fmaf(x * z, sine, x);
    float cosine = fmaf(z, 0x1.99eb9cp-16f, -0x1.6c0c34p-10f);
    cosine = fmaf(z, cosine, 0x1.55554ap-5f);
    cosine = fmaf(z, cosine, -0.5f);
    cosine = fmaf(z, cosine, 1.0f);
    const uint32_t quarters = w + 0x20000000u;  // bits 31 and 30: quarter turns, modulo 4
    const bool odd = (quarters & 0x40000000u) != 0;
    const uint32_t minus_sine = quarters & 0x80000000u,
                   minus_cosine = (quarters ^ quarters << 1) & 0x80000000u;
    return {float_of_bits(bits_of_float(odd ? cosine : sine) ^ minus_sine),
            float_of_bits(bits_of_float(odd ? sine : cosine) ^ minus_cosine)};
}

/// Two independent N(0, 1) draws from two words (Box-Muller), |n| <= kNormalLimit.
struct Normal2 {
    float first, second;
};

MHO_FORMULA Normal2 normal_pair(uint32_t radius_word, uint32_t angle_word) {
    const float radius = sqrtf(-2.0f * log_unit(unit_of_word(radius_word)));
    const SineCosine angle = turn_of_word(angle_word);
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
