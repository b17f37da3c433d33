// host/chip/mapping.h - a weight matrix laid onto crossbar arrays. docs/physics.md section 2. To add a
// scheme: kernels/crossbar/schemes.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "kernels/crossbar/layer.h"

namespace mho {

/// Weights of one layer: groups x outputs x inputs, row-major; bias: groups x outputs, or empty.
struct WeightMatrix {
    std::span<const float> weight, bias;
    int64_t groups = 1, inputs = 0, outputs = 0;  ///< of one group
    uint32_t layer = 0;                           ///< keys its random draws
    std::string name;                             ///< for messages
};

/// What is asked of the arrays of one layer.
struct MappingRequest : ArraySettings {
    std::optional<double> network_scale;  ///< the weight scale of all layers, where they share one
};

/// The extent that w_scale must cover: the largest |w|, or its percentile.
double weight_extent(std::span<const float> weight, const std::optional<double>& clip);

/// Throws InputError naming the layer where the grid cannot hold the levels asked for.
void check_grid(const ArraySettings& asked, const std::string& layer_name);

/// Throws as check_grid does.
CrossbarLayer map_crossbar(const WeightMatrix& matrix, const MappingRequest& asked);

}  // namespace mho
