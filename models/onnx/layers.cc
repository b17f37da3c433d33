// models/onnx/layers.cc - operators that multiply by weights or normalise: Conv, Gemm, MatMul,
// BatchNormalization, LayerNormalization, Softmax. To add one: see import.h.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/base/error.h"
#include "models/onnx/import.h"
#include "models/onnx/reduction.h"
#include "models/onnx/window.h"

namespace mho {

namespace {

void import_conv(OnnxNode& node) {
    op::Conv conv;
    conv.weight = node.weight(1, "weight");
    if (node.has_input(2)) conv.bias = node.weight(2, "bias");
    conv.groups = node.integer("group", 1);
    const ValueId in = node.value(0);
    const auto& dims = conv.weight.dims;
    if (dims.size() < 3 || dims.size() > 5)
        refuse(
            fmt::format("the weight has {} axes; supported are 3 to 5 (1 to 3 spatial axes)", dims.size()));
    const std::vector<int64_t> kernel(dims.begin() + 2, dims.end()), stated = node.integers("kernel_shape");
    if (!stated.empty() && stated != kernel)
        refuse(fmt::format("attribute 'kernel_shape' is ({}), the weight's kernel is ({})",
                           fmt::join(stated, " "), fmt::join(kernel, " ")));
    conv.spatial_rank = static_cast<int>(kernel.size());
    conv.window = read_window(node, kernel, node.shape(0), false).window;
    node.set_output(0, node.emit(std::move(conv), {in}));
}

/// Rows become columns: of a matrix R x C.
Tensor transposed(const Tensor& matrix) {
    const auto rows = static_cast<size_t>(matrix.dims[0]), columns = static_cast<size_t>(matrix.dims[1]);
    Tensor result{{matrix.dims[1], matrix.dims[0]}, std::vector<float>(matrix.data.size())};
    for (size_t r = 0; r < rows; ++r)
        for (size_t c = 0; c < columns; ++c) result.data[c * rows + r] = matrix.data[r * columns + c];
    return result;
}

void scale(Tensor& tensor, float factor) {
    if (factor == 1.0f) return;
    for (float& x : tensor.data) x *= factor;
    if (!std::all_of(tensor.data.begin(), tensor.data.end(), [](float x) { return std::isfinite(x); }))
        refuse(fmt::format("its constants times {} (alpha or beta) are infinite or not a number", factor));
}

/// `tensor` repeated to `count` elements, where it holds one or `count` of them along its last axis alone;
/// else empty.
Tensor as_bias(const Tensor& tensor, int64_t count) {
    const auto size = static_cast<int64_t>(tensor.data.size());
    const bool in_last_axis = size == 1 || (!tensor.dims.empty() && tensor.dims.back() == size);
    if (!in_last_axis || (size != 1 && size != count)) return {};
    if (size == count) return {{count}, tensor.data};
    return {{count}, std::vector<float>(static_cast<size_t>(count), tensor.data[0])};
}

/// beta C, where C is no bias of the outputs alone.
ValueId scaled_addend(OnnxNode& node, float beta) {
    if (node.input(2).is_constant()) {
        Tensor c = node.weight(2, "input C");
        scale(c, beta);
        return node.emit_constant(c.dims, c.data, "C");
    }
    if (beta == 1.0f) return node.value(2);
    return node.emit(op::Binary{BinaryKind::multiply},
                     {node.value(2), node.emit_constant({}, {beta}, "beta")}, "beta_C");
}

void import_gemm(OnnxNode& node) {
    const float alpha = node.real("alpha", 1), beta = node.real("beta", 1);
    const bool transpose_a = node.integer("transA", 0) != 0, transpose_b = node.integer("transB", 0) != 0;
    Tensor b = node.weight(1, "input B");
    ValueId in = node.value(0);
    if (b.dims.size() != 2 || node.shape(0).dims.size() != 2)
        refuse(fmt::format("multiplies {} by {}; expected two matrices", to_string(node.shape(0)),
                           to_string({b.dims, false})));
    op::Linear linear{transpose_b ? std::move(b) : transposed(b), {}};
    scale(linear.weight, alpha);
    if (transpose_a) in = node.emit(op::Transpose{{1, 0}}, {in}, "transA");
    const bool has_addend = node.has_input(2);
    if (has_addend && node.shape(2).dims.size() > 2)
        refuse(fmt::format("input C of {} does not broadcast to the product", to_string(node.shape(2))));
    if (has_addend && node.input(2).is_constant()) {
        linear.bias = as_bias(node.weight(2, "input C"), linear.weight.dims[0]);
        scale(linear.bias, beta);
    }
    const bool needs_add = has_addend && linear.bias.empty();
    ValueId out = node.emit(std::move(linear), {in});
    if (needs_add) {
        const ValueId sum = node.emit(op::Binary{BinaryKind::add}, {out, scaled_addend(node, beta)}, "add");
        const auto& values = node.state().graph.values;
        if (values[static_cast<size_t>(sum)].shape != values[static_cast<size_t>(out)].shape)
            refuse(fmt::format("input C of {} does not broadcast to the product", to_string(node.shape(2))));
        out = sum;
    }
    node.set_output(0, out);
}

/// Drops leading axes of extent 1 until two are left.
void drop_leading_ones(Tensor& tensor) {
    while (tensor.dims.size() > 2 && tensor.dims[0] == 1) tensor.dims.erase(tensor.dims.begin());
}

/// x W for a constant W of K x N (or K: then the last axis goes).
ValueId multiply_right(OnnxNode& node, ValueId in) {
    Tensor w = node.weight(1, "right operand");
    const size_t rank = w.dims.size();
    const Shape shape = node.shape(0);
    drop_leading_ones(w);
    if (rank == 1) w.dims.push_back(1);
    if (w.dims.size() != 2 || rank > std::max<size_t>(2, shape.dims.size()))
        refuse(fmt::format(
            "the right operand '{}' is a constant of {}; supported are matrices (one for all leading axes)",
            node.input_name(1), to_string({node.input(1).constant->dims, false})));
    const ValueId out = node.emit(op::Linear{transposed(w), {}}, {in});
    if (rank != 1) return out;
    Shape without = shape;
    without.dims.pop_back();
    return node.emit_as(op::Reshape{}, {out}, without, "squeeze");
}

/// W x for a constant W of M x K: (x' W')' with the last two axes exchanged.
ValueId multiply_left(OnnxNode& node, ValueId in) {
    Tensor w = node.weight(0, "left operand");
    const Shape shape = node.shape(1);
    const size_t rank = w.dims.size();
    drop_leading_ones(w);
    if (w.dims.size() != 2 || shape.dims.empty() || rank > std::max<size_t>(2, shape.dims.size()))
        refuse(fmt::format(
            "the left operand '{}' is a constant of {}; supported are matrices (one for all leading axes)",
            node.input_name(0), to_string({node.input(0).constant->dims, false})));
    if (shape.dims.size() == 1) return node.emit(op::Linear{std::move(w), {}}, {in});
    std::vector<int> exchange(shape.dims.size());
    std::iota(exchange.begin(), exchange.end(), 0);
    std::swap(exchange.back(), exchange[exchange.size() - 2]);
    const ValueId turned = node.emit(op::Transpose{exchange}, {in}, "transpose");
    const ValueId product = node.emit(op::Linear{std::move(w), {}}, {turned});
    return node.emit(op::Transpose{exchange}, {product}, "transpose_back");
}

void import_matmul(OnnxNode& node) {
    const bool left = node.input(0).is_constant(), right = node.input(1).is_constant();
    if (left == right)
        refuse(left ? "multiplies two constants, which is not folded"
                    : "multiplies two computed values; supported is a product with a constant");
    node.set_output(0, right ? multiply_right(node, node.value(0)) : multiply_left(node, node.value(1)));
}

/// Why a batch norm takes mean and variance from what it normalises, or "". Before operator set 14, further
/// outputs mean it.
std::string training_mode(OnnxNode& node) {
    if (node.integer("training_mode", 0) != 0) return "attribute 'training_mode' is 1";
    for (size_t i = 1; i < node.outputs() && node.opset() < 14; ++i)
        if (node.has_output(i)) return fmt::format("it has {} outputs", node.outputs());
    return "";
}

/// Of constants, as files standardise weights: one mean and variance an index of axis 1.
Tensor normalised(const Tensor& x, const op::BatchNorm& norm) {
    Tensor y = x;
    const size_t channels = norm.scale.data.size(),
                 each = x.data.size() / channels / static_cast<size_t>(x.dims[0]);
    for (size_t i = 0; i < x.data.size(); ++i) {
        const size_t c = i / each % channels;
        const double sd =
            std::sqrt(static_cast<double>(norm.variance.data[c]) + static_cast<double>(norm.epsilon));
        const double v = (static_cast<double>(x.data[i]) - static_cast<double>(norm.mean.data[c])) / sd;
        y.data[i] = static_cast<float>(v * static_cast<double>(norm.scale.data[c]) +
                                       static_cast<double>(norm.shift.data[c]));
    }
    return y;
}

/// Mean and variance of what is normalised, one an index of axis 1.
void measure(const Tensor& x, op::BatchNorm& norm) {
    std::vector<int> axes;
    for (int axis = 0; axis < static_cast<int>(x.dims.size()); ++axis)
        if (axis != 1) axes.push_back(axis);
    norm.mean = reduced(x, axes, false, Reduction::mean);
    Tensor squares = x;
    const size_t channels = norm.mean.data.size(),
                 each = x.data.size() / channels / static_cast<size_t>(x.dims[0]);
    for (size_t i = 0; i < x.data.size(); ++i) {
        const float d = x.data[i] - norm.mean.data[i / each % channels];
        squares.data[i] = d * d;
    }
    norm.variance = reduced(squares, axes, false, Reduction::mean);
}

void check_variance(const op::BatchNorm& norm) {
    for (float variance : norm.variance.data)
        if (!(variance + norm.epsilon > 0))
            refuse(fmt::format("the variance {} and epsilon {} give no positive sum to take the root of",
                               variance, norm.epsilon));
}

void fold_batch_norm(OnnxNode& node, op::BatchNorm norm, bool training) {
    const Tensor x = node.weight(0, "operand");
    node.state().charge(2 * static_cast<int64_t>(x.data.size()));
    infer_shape(norm, {Shape{x.dims, false}});  // refuses what does not fit
    if (training) measure(x, norm);
    check_variance(norm);
    node.set_output(0, real_constant(x.dims, normalised(x, norm).data));
}

void import_batch_norm(OnnxNode& node) {
    node.real("momentum", 0.9f);  // of training alone
    const std::string training = training_mode(node);
    const bool constant = node.input(0).is_constant();
    if (!training.empty() && !constant)
        refuse(training +
               ", which means training mode: export the network in evaluation mode (model.eval())");
    op::BatchNorm norm;
    norm.scale = node.weight(1, "scale");
    norm.shift = node.weight(2, "bias");
    norm.mean = node.weight(3, "mean");
    norm.variance = node.weight(4, "variance");
    norm.epsilon = node.real("epsilon", 1e-5f);
    if (constant) return fold_batch_norm(node, std::move(norm), !training.empty());
    check_variance(norm);
    node.set_output(0, node.emit(std::move(norm), {node.value(0)}));
}

/// `tensor` broadcast to `dims`: what LayerNormalization allows of its scale and bias.
Tensor broadcast(const Tensor& tensor, const std::vector<int64_t>& dims, const char* what) {
    if (tensor.dims == dims) return tensor;
    const Shape target{dims, false}, found{tensor.dims, false};
    if (infer_shape(op::Binary{}, {target, found}) != target)
        refuse(
            fmt::format("the {} of {} does not broadcast to {}", what, to_string(found), to_string(target)));
    Tensor result{dims, std::vector<float>(static_cast<size_t>(target.size()))};
    for (size_t i = 0; i < result.data.size(); ++i) {
        size_t rest = i, from = 0, stride = 1;
        for (size_t axis = 0; axis < tensor.dims.size(); ++axis) {
            const auto extent = static_cast<size_t>(dims[dims.size() - 1 - axis]);
            const auto own = static_cast<size_t>(tensor.dims[tensor.dims.size() - 1 - axis]);
            if (own != 1) from += rest % extent * stride;
            stride *= own;
            rest /= extent;
        }
        result.data[i] = tensor.data[from];
    }
    return result;
}

/// The optional outputs of LayerNormalization: mean and 1 / sqrt(variance + epsilon) over the axes from
/// `axis` on.
void emit_statistics(OnnxNode& node, int axis, float epsilon) {
    const ValueId x = node.value(0);
    op::ReduceMean over;
    for (int a = axis; a < static_cast<int>(node.shape(0).dims.size()); ++a) over.axes.push_back(a);
    const ValueId mean = node.emit(over, {x}, "mean");
    node.set_output(1, mean);
    if (!node.has_output(2)) return;
    const ValueId centred = node.emit(op::Binary{BinaryKind::subtract}, {x, mean}, "centred");
    const ValueId squared = node.emit(op::Binary{BinaryKind::multiply}, {centred, centred}, "squared");
    const ValueId variance = node.emit(over, {squared}, "variance");
    const ValueId shifted = node.emit(op::Binary{BinaryKind::add},
                                      {variance, node.emit_constant({}, {epsilon}, "epsilon")}, "shifted");
    const ValueId deviation = node.emit(op::Activate{{ActivationKind::sqrt, 0, 0}}, {shifted}, "deviation");
    node.set_output(2, node.emit(op::Binary{BinaryKind::divide},
                                 {node.emit_constant({}, {1.0f}, "one"), deviation}, "inverse"));
}

void import_layer_norm(OnnxNode& node) {
    if (node.integer("stash_type", 1) != 1)
        refuse("attribute 'stash_type' must be 1 (statistics in float32)");
    const Shape shape = node.shape(0);
    op::LayerNorm norm;
    norm.axis = resolve_axis(node.integer("axis", -1), shape.dims.size());
    norm.epsilon = node.real("epsilon", 1e-5f);
    const std::vector<int64_t> normalised(shape.dims.begin() + norm.axis, shape.dims.end());
    node.state().charge(2 * Shape{normalised, false}.size());
    norm.scale = broadcast(node.weight(1, "scale"), normalised, "scale");
    if (node.has_input(2)) norm.shift = broadcast(node.weight(2, "bias"), normalised, "bias");
    const int axis = norm.axis;
    const float epsilon = norm.epsilon;
    node.set_output(0, node.emit(std::move(norm), {node.value(0)}));
    if (node.has_output(1) || node.has_output(2)) emit_statistics(node, axis, epsilon);
}

/// Before opset 13 the axes from `axis` on were normalised together.
void import_softmax(OnnxNode& node) {
    const bool together = node.opset() < 13;
    const Shape shape = node.shape(0);
    const int axis = resolve_axis(node.integer("axis", together ? 1 : -1), shape.dims.size());
    const ValueId in = node.value(0);
    if (!together || axis + 1 == static_cast<int>(shape.dims.size())) {
        node.set_output(0, node.emit(op::Softmax{axis}, {in}));
        return;
    }
    if (axis == 0 && shape.per_image) refuse("attribute 'axis' is 0, the batch: images must not mix");
    const int64_t rest = Shape{{shape.dims.begin() + axis, shape.dims.end()}, false}.size();
    const int64_t rows = Shape{{shape.dims.begin(), shape.dims.begin() + axis}, false}.size();
    const ValueId flat = node.emit_as(op::Reshape{}, {in}, {{rows, rest}, shape.per_image}, "flatten");
    const ValueId normalised = node.emit(op::Softmax{1}, {flat});
    node.set_output(0, node.emit_as(op::Reshape{}, {normalised}, shape, "unflatten"));
}

constexpr OnnxOperator operators[] = {
    {"BatchNormalization", import_batch_norm}, {"Conv", import_conv},     {"Gemm", import_gemm},
    {"LayerNormalization", import_layer_norm}, {"MatMul", import_matmul}, {"Softmax", import_softmax},
};

}  // namespace

std::span<const OnnxOperator> layer_operators() { return operators; }

}  // namespace mho
