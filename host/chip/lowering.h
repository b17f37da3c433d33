// host/chip/lowering.h - a network and the choice of what is analog in it -> the plan that a backend
// executes. Images are laid channels last; transposes that only rename axes cost nothing; activations are
// fused, or stand.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/chip/mapping.h"
#include "host/config/types.h"
#include "kernels/plan.h"
#include "models/queries.h"

namespace mho {

enum class Level { digital, parameter, crossbar };

/// How one layer is executed.
struct LayerChoice {
    Level level = Level::digital;
    ParameterConfig parameter;  ///< at Level::parameter: docs/physics.md section 5
    MappingRequest mapping;     ///< at Level::crossbar
};

struct LoweringOptions {
    /// Asked by name for every convolution, linear layer, standing batch norm and residual addition. A batch
    /// norm or an addition can be digital or at parameter level only.
    std::function<LayerChoice(const Node&)> choose;
    bool analog_batch_norm = false;  ///< standing batch norms are asked about, else digital
    bool analog_identity = false;    ///< residual additions are asked about, else digital
    int relu_levels = 0;             ///< quantise every ReLU output to so many levels; 0: not
    /// Activations become part of the step that makes their input, where it can apply them. Else each is a
    /// step of its own, as training needs it: the same formula on the same sums. A batch norm that is not
    /// folded (fold_batch_norm) is a step of its own either way.
    bool fuse_activations = true;
    Precision precision = Precision::f32;
};

/// The plan of `network`. Throws InputError naming the node that cannot be laid out.
Plan lower(const NumberedGraph& network, const LoweringOptions& options);

/// Everything digital.
Plan lower_digital(const NumberedGraph& network, Precision precision = Precision::f32);

}  // namespace mho
