// kernels/devices/none.h - every cell sits at its target.
#pragma once

#include "kernels/devices/device.h"

namespace mho {

struct NoError {
    static constexpr char kHelp[] = "g";
    static constexpr Draw kDraw = Draw::none;
    static constexpr bool kScaled = false, kRelative = false, kMicrosiemens = false;
    using Settings = NoSettings;
    static std::string complaint(const Settings&) { return ""; }

    NoError() = default;
    NoError(const DeviceSigma&, const Settings&, const DeviceGrid&) {}
    MHO_FORMULA float deviated(float target, float) const { return target; }
};

}  // namespace mho
