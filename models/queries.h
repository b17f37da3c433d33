// models/queries.h - questions about a network: who reads and makes a value, which nodes carry weights, which
// addition is residual.
#pragma once

#include <cstdint>
#include <vector>

#include "models/graph.h"

namespace mho {

/// A graph whose nodes still know their place in the network as it was read: `layer[i]` is the index there of
/// nodes[i]. That index keys the node's random draws, so they do not depend on what was folded.
struct NumberedGraph {
    Graph graph;
    std::vector<uint32_t> layer;
};

/// The graph as read, each node numbered by its place.
NumberedGraph number_nodes(Graph graph);

/// How many nodes (and graph outputs) read each value.
std::vector<int> count_readers(const Graph& graph);
/// Which node makes each value, by its index: -1 for graph inputs and constants.
std::vector<int> find_makers(const Graph& graph);

/// Of each value, how many nodes and graph outputs read the memory that it lies in. A Transpose gives the
/// value that it reads under other axes: it is no reader itself, and what reads it reads its source.
std::vector<int> count_memory_readers(const Graph& graph);

/// Nodes that carry weights onto an array: every convolution and linear layer, in order.
std::vector<const Node*> weight_layers(const Graph& graph);

/// The input of a residual addition that is carried past the other branch: the operand from which the other
/// one is computed. -1 where neither is, or the node is no addition of two activations.
ValueId residual_identity(const Graph& graph, const Node& node);

}  // namespace mho
