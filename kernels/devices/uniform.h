// kernels/devices/uniform.h - errors spread evenly around the target. docs/physics.md section 3, step 2.
#pragma once

#include "kernels/devices/device.h"

namespace mho {

struct UniformError {
    static constexpr char kHelp[] = "g + s v, v even in (-1, 1)";
    static constexpr Draw kDraw = Draw::uniform;
    static constexpr bool kScaled = true, kRelative = true, kMicrosiemens = false;
    using Settings = NoSettings;
    static std::string complaint(const Settings&) { return ""; }

    RelativeSigma sigma;  ///< half width

    UniformError() = default;
    UniformError(const DeviceSigma& s, const Settings&, const DeviceGrid& grid) : sigma(s, grid) {}
    MHO_FORMULA float deviated(float target, float v) const {
        return off_target(sigma.at(target), v, target);
    }
};

}  // namespace mho
