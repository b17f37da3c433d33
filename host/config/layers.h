// host/config/layers.h - [[layer]]: what a config is for one layer of a network, and whether what it says of
// layers means something.
#pragma once

#include <string>
#include <vector>

#include "host/config/types.h"

namespace mho {

/// `config` as it is for one layer; and whether that layer is kept digital.
struct LayerConfig {
    Config config;
    bool digital = false;
};
/// `layer`: its name, and what else it may be called.
LayerConfig layer_config(const Config& config, const std::vector<std::string>& layer);

/// A sweep point's config, and the layers that it can make analog in a network.
struct PointLayers {
    const Config& config;
    std::vector<std::vector<std::string>> layers;  ///< the names of each
};
/// Throws InputError for a [[layer]] that matches or changes no layer at any point, a swept key that
/// [[layer]] sets for every layer, and a combination of keys that means nothing for a layer.
void check_layers(const Config& config, const std::vector<PointLayers>& points);

}  // namespace mho
