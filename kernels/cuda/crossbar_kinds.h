// kernels/cuda/crossbar_kinds.h - in what numbers a kernel keeps codes, sums and joined codes.
#pragma once

#include <cstdint>

namespace mho::cuda {

/// Codes in bytes, sums in 32 bits, uniform converters; so many steps at once as registers hold.
template <int kStepsAtOnce>
struct ByteCodes {
    using Code = uint8_t;
    using Sum = int32_t;
    using Joined = int64_t;
    static constexpr bool kBytes = true, kQuiet = false;
    static constexpr int kSteps = kStepsAtOnce;
};
/// The same where nothing but a converter without noise stands between sums and codes, and codes join to 32
/// bits: what a sweep without read noise runs. Sums keep the weight 2^shift of their step.
struct QuietBytes : ByteCodes<4> {
    using Joined = int32_t;
    static constexpr bool kQuiet = true;
};
/// Codes of 16 bits, sums of 64, converters of any type.
struct WideCodes {
    using Code = uint16_t;
    using Sum = int64_t;
    using Joined = int64_t;
    static constexpr bool kBytes = false, kQuiet = false;
    static constexpr int kSteps = 1;
};

/// Joined codes of one vector and column: an integer, or a float where ranges differ.
template <class Kind>
union Joined {
    typename Kind::Joined sum;
    float z;
};

}  // namespace mho::cuda
