// kernels/steps/steps.h - every kind of step that a plan can hold, as plain parameters. Tensors are physical:
// see kernels/plan.h. To add one: a struct here and its line in PlanOperation, its case in tests/contract, an
// operator() in either backend's stream.
#pragma once

#include <array>
#include <cstdint>
#include <variant>
#include <vector>

#include "kernels/steps/activations.h"
#include "kernels/steps/binary.h"
#include "kernels/steps/ops.h"

namespace mho {

using TensorId = int;
using ParameterId = int;  ///< index into Plan::parameters, -1 for none

namespace step {

/// Digital or parameter-level convolution: x n,D,H,W,C -> n,D',H',W',O. weight: O x C/groups x kernel, bias:
/// O.
struct Conv {
    Window window;
    int64_t groups = 1;
    ParameterId weight = -1, bias = -1;
};
/// y = x W' + b over the last axis. weight: N x K, bias: N.
struct Linear {
    ParameterId weight = -1, bias = -1;
};
/// A layer on crossbars: Plan::crossbars[crossbar], over im2col patches of a channels-last image, or, where
/// is_linear, over the last axis of a tensor of any rank.
struct Crossbar {
    Window window;
    int crossbar = -1;
    bool is_linear = false;
};
/// y = fmaf(x, scale, shift), one scale and shift an index of axis `axis`; either may be -1 (1 and 0).
struct Affine {
    int axis = -1;  ///< physical, not negative
    ParameterId scale = -1, shift = -1;
};
/// Normalisation over the axes from `axis` (physical) to the last.
struct LayerNorm {
    int axis = 0;
    float epsilon = 1e-5f;
    ParameterId scale = -1, shift = -1;
};
/// Elementwise function alone (mostly it is fused as Step::activation instead).
struct Activate {
    Activation activation;
};
/// a kind b with broadcasting (NumPy rules on physical dims; a per_image axis 0 matches itself or 1).
/// Exactly one of the two may be a parameter: then inputs has one entry and `parameter` stands for a or b.
struct Binary {
    BinaryKind kind = BinaryKind::add;
    ParameterId parameter = -1;
    std::vector<int64_t> parameter_dims;
    bool parameter_is_left = false;
};
/// Channels-last pooling.
struct Pool {
    PoolKind kind = PoolKind::maximum;
    Window window;
    bool count_include_pad = false;
    std::array<int64_t, 3> ceil_extra{0, 0, 0};
};
struct ReduceMean {
    std::vector<int> axes;  ///< physical; summed in row-major order of the reduced axes, then times 1/count
};
/// Same memory, other dims.
struct Alias {};
struct Transpose {
    std::vector<int> permutation;
};
struct Concat {
    int axis = 0;
};
struct Slice {
    std::vector<int64_t> begin, step;
};
struct Gather {
    int axis = 0;
    std::vector<int64_t> indices;
};
struct Pad {
    PadMode mode = PadMode::constant;
    std::vector<int64_t> begin, end;
    float value = 0;
};
struct Softmax {
    int axis = 0;
};
/// x -> high / (levels - 1) * rint(clamp(x, 0, high) * ((levels - 1) / high)); physics.md section 5.
/// `high` is calibrated (see Calibration); `site` is its index there.
struct Quantise {
    int levels = 0;  ///< >= 2
    int site = -1;
};

}  // namespace step

using PlanOperation =
    std::variant<step::Conv, step::Linear, step::Crossbar, step::Affine, step::LayerNorm, step::Activate,
                 step::Binary, step::Pool, step::ReduceMean, step::Alias, step::Transpose, step::Concat,
                 step::Slice, step::Gather, step::Pad, step::Softmax, step::Quantise>;

}  // namespace mho
