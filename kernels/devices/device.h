// kernels/devices/device.h - what every kind of programming error is made of. docs/physics.md section 3,
// step 2.
//
// A kind is a plain struct, passed to kernels, with
// clang-format off
//   kHelp             half a line: how a conductance comes from its target g
//   kDraw             the draw that it takes, one a cell and chip
//   kScaled           whether device.sigma says how large the error is
//   kRelative         whether device.relative_to counts as well
//   kMicrosiemens     whether the conductance of the grid's codes in uS matters
//   Settings          what else it asks of the user, with list() for keys of the config; NoSettings
//   complaint(s)      why Settings s mean nothing, or ""
//   (sigma, s, grid)  a constructor from DeviceSigma, its Settings and the grid
//   deviated(g, n)    the conductance after programming, before it is cut and rounded, in grid codes: float32, explicit
//                     fmaf, functions of kernels/base alone (exp_of, log_unit, ...): the same bits everywhere
// clang-format on
#pragma once

#include <cmath>
#include <string>

#include "kernels/base/host_device.h"
#include "kernels/base/setting.h"

namespace mho {

/// N(0, 1), |n| <= 6.77; or uniform in (-1, 1), of 24 bits, never 0, -1 or 1.
enum class Draw { none, normal, uniform };

enum class RelativeTo { g_max, target };

/// device.sigma and device.relative_to.
struct DeviceSigma {
    float sigma = 0;
    RelativeTo relative_to = RelativeTo::g_max;
};

/// The grid that conductances lie on.
struct DeviceGrid {
    float g_max = 0;          ///< code of the largest target
    double microsiemens = 0;  ///< of one code: device.g_max / code of the largest target
};

/// target + sigma n: an error of standard deviation (or half width) sigma, in grid codes.
MHO_FORMULA float off_target(float sigma, float n, float target) { return fmaf(sigma, n, target); }

/// Standard deviation of an error in grid codes: sigma g_max, or sigma target.
struct RelativeSigma {
    float constant = 0, proportional = 0;

    RelativeSigma() = default;
    RelativeSigma(const DeviceSigma& s, const DeviceGrid& grid)
        : constant(s.relative_to == RelativeTo::g_max ? s.sigma * grid.g_max : 0.0f),
          proportional(s.relative_to == RelativeTo::target ? s.sigma : 0.0f) {}
    MHO_FORMULA float at(float target) const { return fmaf(proportional, target, constant); }
};

}  // namespace mho
