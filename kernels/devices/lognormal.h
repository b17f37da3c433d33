// kernels/devices/lognormal.h - errors of the logarithm. docs/physics.md section 3, step 2.
#pragma once

#include "kernels/base/elementary.h"
#include "kernels/devices/device.h"

namespace mho {

struct LognormalError {
    static constexpr char kHelp[] = "g exp(s n)";
    static constexpr Draw kDraw = Draw::normal;
    static constexpr bool kScaled = true, kRelative = false, kMicrosiemens = false;
    using Settings = NoSettings;
    static std::string complaint(const Settings&) { return ""; }

    float sigma = 0;  ///< of ln g

    LognormalError() = default;
    LognormalError(const DeviceSigma& s, const Settings&, const DeviceGrid&) : sigma(s.sigma) {}
    MHO_FORMULA float deviated(float target, float n) const { return target * exp_of(sigma * n); }
};

}  // namespace mho
