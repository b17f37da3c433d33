// kernels/adcs/adc_type.h - what every type of converter is made of. docs/physics.md section 4.
//
// Gain, offset, range and noise are common to all: they make v, the column sum in ADC steps
// (kernels/crossbar/adc.h). A type says which code v becomes. It is a plain struct, passed to kernels, with
// clang-format off
//   kHelp                       half a line
//   Settings                    what it asks of the user, with list() for keys of the config; NoSettings
//   static complaint(s, bits)   why Settings s mean nothing with so many bits, or ""
//   (s, bits)                   a constructor from its Settings
//   static numbers(bits)        how many floats each converter holds of its own, drawn once a chip
//   static draws(bits)          how many N(0, 1) draws make them
//   make(n, own)                makes them: n(k) is draw k, own[k] number k
//   code(v, own)                the code, 0 to 2^bits - 1: float32, the same bits everywhere; where nothing is drawn and
//                               nothing set, at most half a step from v
// clang-format on
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "kernels/base/elementary.h"
#include "kernels/base/host_device.h"
#include "kernels/base/setting.h"

namespace mho {

/// Numbers that lie `stride` apart: number k of all converters of a layer, then number k + 1.
template <class Float>
struct Strided {
    Float* all = nullptr;  ///< null where a type has none
    int64_t first = 0, stride = 0;

    MHO_FORMULA Float& operator[](int64_t k) const { return all[first + k * stride]; }
};

}  // namespace mho
