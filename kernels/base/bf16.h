// kernels/base/bf16.h - bfloat16: the upper half of a float.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/base/host_device.h"

namespace mho {

/// The nearest bfloat16, ties to even; what is not a number stays so.
MHO_FORMULA uint16_t bf16_of(float x) {
    const uint32_t bits = std::bit_cast<uint32_t>(x);
    if (x != x) return static_cast<uint16_t>(bits >> 16 | 0x40u);
    return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

MHO_FORMULA float float_of_bf16(uint16_t x) { return std::bit_cast<float>(uint32_t{x} << 16); }

}  // namespace mho
