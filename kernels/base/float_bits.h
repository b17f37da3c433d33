// kernels/base/float_bits.h - a float32 seen as bits.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/base/host_device.h"

namespace mho {

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

/// An integer that orders as the float does, and back.
MHO_FORMULA int32_t ordered_bits(float x) {
    const int32_t bits = static_cast<int32_t>(bits_of_float(x));
    return bits >= 0 ? bits : bits ^ 0x7fffffff;
}

MHO_FORMULA float from_ordered_bits(int32_t ordered) {
    return float_of_bits(static_cast<uint32_t>(ordered >= 0 ? ordered : ordered ^ 0x7fffffff));
}

}  // namespace mho
