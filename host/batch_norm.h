// host/batch_norm.h - batch normalisation at inference: an affine map a channel, folded into a layer or
// standing alone.
#pragma once

#include <cstdint>
#include <vector>

#include "models/graph.h"

namespace mho {

/// y = scale x + shift, one of each a channel.
struct ChannelAffine {
    std::vector<float> scale;  ///< gamma / sqrt(variance + epsilon)
    std::vector<float> shift;  ///< beta - mean scale
};

/// Effective scale and shift of a batch norm, computed in double precision. Source: docs/physics.md
/// section 5.
ChannelAffine channel_affine(const op::BatchNorm& norm);

/// A graph whose nodes still know their place in the network as it was read: `layer[i]` is the index there of
/// nodes[i]. That index keys the node's random draws, so they do not depend on what was folded.
struct NumberedGraph {
    Graph graph;
    std::vector<uint32_t> layer;
};

/// The graph as read, each node numbered by its place.
NumberedGraph number_nodes(Graph graph);

/// Folds every batch norm into the convolution or linear layer that alone feeds it; one that has no such
/// layer stays.
NumberedGraph fold_batch_norm(const NumberedGraph& network);

/// How many nodes (and graph outputs) read each value.
std::vector<int> count_readers(const Graph& graph);

}  // namespace mho
