// host/chip/parameter_range.h - R of the parameter-level model: which extent a layer's conductance range must
// cover. docs/physics.md section 5.
#pragma once

#include <span>

#include "host/config/types.h"

namespace mho {

/// R of one set of values, in their unit: (max - min)/2 or max |p|, or the same between central quantiles
/// (linear interpolation between order statistics). 0 for no values.
double parameter_range(std::span<const float> values, const ParameterConfig& measured);

/// R of the weights and of the biases of one layer.
struct LayerRanges {
    double weight = 0;
    double bias = 0;
};

/// The table of physics.md section 5. Where one of the two sets has no extent (no bias, all biases equal),
/// `bi-scale` has nothing to match and is `own`.
LayerRanges layer_ranges(std::span<const float> weight, std::span<const float> bias,
                         const ParameterConfig& measured);

}  // namespace mho
