// kernels/plan.h - a network made ready to execute: what a backend is given, once a run and sweep point.
// host/chip/lowering.cc makes one from a Graph. Tensors here are physical: row-major in the order in which
// they lie in memory; images are always five axes N, depth, height, width, C (channels last; depth 1 for two
// spatial axes), so a channel's neighbours are neighbours in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/crossbar/layer.h"
#include "kernels/steps/perturbation.h"
#include "kernels/steps/steps.h"

namespace mho {

/// Extents of one activation. Where per_image, axis 0 holds dims[0] entries for each image of the batch.
struct PlanTensor {
    std::vector<int64_t> dims;
    bool per_image = true;
};

/// Which array of a network's node a parameter holds.
enum class ParameterRole {
    weight,    ///< of a convolution or linear layer, as the node has it
    bias,      ///< likewise
    scale,     ///< of a layer norm, as the node has it; of a batch norm, the effective one
    shift,     ///< likewise
    constant,  ///< the constant operand of a node with two operands, its axes moved
    identity,  ///< of a residual connection on a chip: ones that no node has
};

/// Where a parameter comes from, so that another value of it can go back (host/chip/parameters.h).
struct ParameterSource {
    uint32_t node = 0;  ///< index in the network as it was read
    ParameterRole role = ParameterRole::weight;
    /// Of a constant: axis p of the parameter is axis order[p] of the operand, which has leading extents of 1
    /// up to the rank of the node's result; -1: an extent of 1 that it does not have.
    std::vector<int> order;
};

/// A constant array that steps read; where it is analog, each chip reads a perturbed copy of it.
struct Parameter {
    std::vector<float> value;
    std::optional<Perturbation> perturbation;
    ParameterSource source;
};

struct Step {
    std::string name;  ///< of the graph's node, for messages
    PlanOperation operation;
    std::vector<TensorId> inputs;
    TensorId output = -1;
    std::optional<Activation> activation;  ///< applied to every result of the operation
};

/// What the factors of parameter-level and digital products may be rounded to; sums are float32. bf16:
/// results of convolutions that are no plain matrix products are rounded too, and a convolution that cuDNN
/// does not take in bfloat16 is computed in TF32. Windows over three axes or of uneven padding stay in
/// float32.
enum class Precision { f32, tf32, bf16 };

struct Plan {
    std::vector<PlanTensor> tensors;
    std::vector<Parameter> parameters;
    std::vector<CrossbarLayer> crossbars;
    std::vector<Step> steps;
    std::vector<TensorId> inputs, outputs;  ///< plan inputs and outputs lie in the graph's own axis order
    int quantise_sites = 0;
    Precision precision = Precision::f32;

    int64_t elements(TensorId tensor, int64_t images) const;
};

}  // namespace mho
