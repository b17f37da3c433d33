// host/chip/parameters.h - a plan's parameters back in their network: what was trained or drawn for a plan,
// as a network that ONNX can hold.
#pragma once

#include <vector>

#include "kernels/plan.h"
#include "models/queries.h"

namespace mho {

/// `network` with other values of its parameters: values[i], as large as plan.parameters[i].value, is what
/// plan.parameters[i] becomes. A parameter whose value is the plan's leaves its node as it is.
///
/// `plan` was lowered from `network`. Where batch norms were folded that is the folded network
/// (fold_batch_norm), and folded it stays: a value belongs to the layer that took the batch norm in. A batch
/// norm that stands gets mean 0, variance 1 and epsilon 0, so that its scale and shift are the effective ones
/// of the plan, to the bit. A constant that other nodes read too stays theirs: the node gets one of its own.
/// Layers on crossbars have no parameters in a plan, and keep their weights.
///
/// Throws std::invalid_argument where the network does not hold the plan's values, where an array has another
/// size, and for factors of a residual connection that are not 1: no node can hold them.
NumberedGraph with_parameters(NumberedGraph network, const Plan& plan,
                              const std::vector<std::vector<float>>& values);

}  // namespace mho
