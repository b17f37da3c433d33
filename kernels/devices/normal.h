// kernels/devices/normal.h - independent or proportional Gaussian errors. docs/physics.md section 3, step 2.
#pragma once

#include "kernels/devices/device.h"

namespace mho {

struct NormalError {
    static constexpr char kHelp[] = "g + s n, s relative to g_max or g";
    static constexpr Draw kDraw = Draw::normal;
    static constexpr bool kScaled = true, kRelative = true, kMicrosiemens = false;
    using Settings = NoSettings;
    static std::string complaint(const Settings&) { return ""; }

    RelativeSigma sigma;

    NormalError() = default;
    NormalError(const DeviceSigma& s, const Settings&, const DeviceGrid& grid) : sigma(s, grid) {}
    MHO_FORMULA float deviated(float target, float n) const {
        return off_target(sigma.at(target), n, target);
    }
};

}  // namespace mho
