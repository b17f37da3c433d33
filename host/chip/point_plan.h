// host/chip/point_plan.h - the config of one sweep point, read as choices for the lowering.
#pragma once

#include <string>

#include "host/chip/lowering.h"
#include "host/config/points.h"
#include "host/config/types.h"
#include "models/graph.h"

namespace mho {

/// The network as the config's batch norm mode has it: folded, or as read.
NumberedGraph prepare_network(const Graph& graph, const Config& config);

/// What is analog in the network at this point, and how. With `only_layer`, that layer alone; else all.
LoweringOptions lowering_options(const Config& config, const NumberedGraph& network,
                                 const std::string& only_layer = "");

/// Everything about the points that a network decides: [[layer]], and whether each layer can be laid on
/// arrays and the network executed. Throws InputError; nothing has been run then.
void check_points(const Config& config, const std::vector<SweepPoint>& points, const Graph& graph);

/// Names of the layers that this config can make analog, in order: what [[layer]] may match, of each its own
/// name first.
std::vector<std::vector<std::string>> analog_layers(const Config& config, const NumberedGraph& network);

}  // namespace mho
