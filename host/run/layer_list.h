// host/run/layer_list.h - the layers of a network that can lie on arrays, as a person needs to know them:
// what [[layer]] may match, how large they are, and how many arrays they take.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/config/types.h"
#include "models/graph.h"

namespace mho {

struct ListedLayer {
    std::vector<std::string> names;  ///< its own first
    std::string operation;           ///< "Conv", "Linear"
    std::vector<int64_t> weight;     ///< extents of its weight
    int64_t multiply_adds = 0;       ///< of one image
    int64_t arrays = 0;              ///< 0: the config keeps it digital
    int64_t cells = 0;               ///< on these arrays, of which each weight takes one a slice and polarity
};

/// Of every convolution and linear layer, in order, laid on crossbars as `config` says, whatever its level.
/// Throws InputError where one cannot be.
std::vector<ListedLayer> list_layers(const Graph& graph, const Config& config);

}  // namespace mho
