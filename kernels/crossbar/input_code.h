// kernels/crossbar/input_code.h - how a layer's inputs become integer codes and read steps. docs/physics.md
// section 2.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/base/elementary.h"
#include "kernels/base/host_device.h"
#include "kernels/crossbar/settings.h"

namespace mho {

/// What both the input's coding and its sign, known from calibration, decide.
struct CodePlan {
    int32_t low = 0, high = 0;  ///< codes, before any offset
    int32_t offset = 0;         ///< added to every code where signed inputs are shifted
    int phases = 1;             ///< 2: positive parts, then negative parts
    int bits = 0;               ///< that are read in steps
    int steps = 0;              ///< T

    int reads() const { return phases * steps; }  ///< of one input vector
};

inline CodePlan code_plan(const CrossbarSettings& asked, bool is_signed) {
    const int x_bits = static_cast<int>(asked.input_bits), dac_bits = static_cast<int>(asked.dac_bits);
    CodePlan p;
    p.high = is_signed ? (1 << (x_bits - 1)) - 1 : (1 << x_bits) - 1;
    p.low = is_signed ? -p.high : 0;
    const bool shifted = is_signed && asked.input_sign == InputSign::offset;
    p.offset = shifted ? 1 << (x_bits - 1) : 0;
    p.phases = is_signed && !shifted ? 2 : 1;
    p.bits = is_signed && !shifted ? x_bits - 1 : x_bits;
    p.steps = (p.bits + dac_bits - 1) / dac_bits;
    return p;
}

/// clamp(rint(x (1/x_lsb)), low, high).
MHO_FORMULA int32_t input_code(float x, float x_lsb_inverse, int32_t low, int32_t high) {
    return static_cast<int32_t>(
        cut(rintf(x * x_lsb_inverse), static_cast<float>(low), static_cast<float>(high)));
}

/// The unsigned number that phase `phase` reads of a code.
MHO_FORMULA int32_t phase_part(int32_t code, int32_t offset, int phase) {
    const int32_t v = phase == 0 ? code + offset : -code;
    return v > 0 ? v : 0;
}

/// Bits that step `step` reads of it, least significant first.
MHO_FORMULA int32_t step_part(int32_t part, int step, int dac_bits) {
    return (part >> (step * dac_bits)) & ((1 << dac_bits) - 1);
}

}  // namespace mho
