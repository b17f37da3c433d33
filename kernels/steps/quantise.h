// kernels/steps/quantise.h - activations held to a few levels. docs/physics.md section 5.
#pragma once

#include <cmath>

#include "kernels/base/elementary.h"
#include "kernels/base/host_device.h"

namespace mho {

/// `levels` >= 2 values from 0 to `high` >= 0, evenly spaced; where high is 0, that value alone.
struct Quantiser {
    float high = 0, to_level = 0, to_value = 0;

    Quantiser() = default;
    Quantiser(int levels, float largest)
        : high(largest),
          to_level(largest > 0 ? static_cast<float>(levels - 1) / largest : 0.0f),
          to_value(largest / static_cast<float>(levels - 1)) {}
    /// The value nearest to x, x cut to [0, high].
    MHO_FORMULA float of(float x) const { return to_value * rintf(cut(x, 0.0f, high) * to_level); }
};

}  // namespace mho
