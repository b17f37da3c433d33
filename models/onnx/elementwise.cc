// models/onnx/elementwise.cc - operators on every element: activations and arithmetic. To add one: see
// import.h.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "kernels/steps/activations.h"
#include "models/onnx/import.h"
#include "models/onnx/strided.h"

namespace mho {

namespace {

void emit_activation(OnnxNode& node, ActivationKind kind, float alpha = 0, float beta = 0) {
    node.set_output(0, node.emit(op::Activate{{kind, alpha, beta}}, {node.value(0)}));
}

template <ActivationKind kind>
void import_plain(OnnxNode& node) {
    if (!node.all_constant()) return emit_activation(node, kind);
    const Tensor x = node.numbers(0, "operand");
    node.state().charge(static_cast<int64_t>(x.data.size()));
    std::vector<float> y;
    for (float v : x.data) y.push_back(activated<kind>(v, 0, 0));
    node.set_output(0, real_constant(x.dims, std::move(y)));
}

void import_clip(OnnxNode& node) {
    constexpr float lowest = std::numeric_limits<float>::lowest(),
                    highest = std::numeric_limits<float>::max();
    const bool attributes = node.opset() < 11;
    const float low = attributes ? node.real("min", lowest) : node.scalar(1, "lower bound", lowest);
    const float high = attributes ? node.real("max", highest) : node.scalar(2, "upper bound", highest);
    emit_activation(node, ActivationKind::clip, low, high);
}

void import_leaky_relu(OnnxNode& node) {
    emit_activation(node, ActivationKind::leaky_relu, node.real("alpha", 0.01f));
}

void import_hard_sigmoid(OnnxNode& node) {
    const float alpha = node.real("alpha", 0.2f), beta = node.real("beta", 0.5f);
    emit_activation(node, ActivationKind::hard_sigmoid, alpha, beta);
}

/// A computed value combined with one number.
void emit_with_number(OnnxNode& node, BinaryKind kind, float number, bool number_first) {
    const ValueId constant = node.emit_constant({}, {number}, "number"), x = node.value(0);
    node.set_output(0, number_first ? node.emit(op::Binary{kind}, {constant, x})
                                    : node.emit(op::Binary{kind}, {x, constant}));
}

void import_neg(OnnxNode& node) { emit_with_number(node, BinaryKind::multiply, -1, false); }
void import_reciprocal(OnnxNode& node) { emit_with_number(node, BinaryKind::divide, 1, true); }

/// Powers that are products or roots.
void import_pow(OnnxNode& node) {
    const ValueId x = node.value(0);
    const double power = node.number(1, "exponent");
    if (const Shape wide = infer_shape(op::Binary{}, {node.shape(0), node.shape(1)}); wide != node.shape(0))
        refuse(fmt::format("its exponent of {} makes {} of {}", to_string(node.shape(1)), to_string(wide),
                           to_string(node.shape(0))));
    if (power == 0.5) return emit_activation(node, ActivationKind::sqrt);
    if (power != 1 && power != 2 && power != 3) refuse("its exponent must be one number, 0.5, 1, 2 or 3");
    ValueId product = x;
    for (int i = 1; i < static_cast<int>(power); ++i)
        product = node.emit(op::Binary{BinaryKind::multiply}, {product, x},
                            i + 1 < static_cast<int>(power) ? "square" : "");
    node.set_output(0, product);
}

void import_swish(OnnxNode& node) {
    const float alpha = node.real("alpha", 1);
    if (alpha == 1.0f) return emit_activation(node, ActivationKind::silu);
    const ValueId x = node.value(0);
    const ValueId scaled =
        node.emit(op::Binary{BinaryKind::multiply}, {x, node.emit_constant({}, {alpha}, "alpha")}, "scaled");
    const ValueId gate = node.emit(op::Activate{{ActivationKind::sigmoid, 0, 0}}, {scaled}, "gate");
    node.set_output(0, node.emit(op::Binary{BinaryKind::multiply}, {x, gate}));
}

void import_gelu(OnnxNode& node) {
    const std::string approximate = node.text("approximate", "none");
    if (approximate != "none" && approximate != "tanh")
        refuse(fmt::format("attribute 'approximate' is '{}'; supported are none and tanh", approximate));
    emit_activation(node, approximate == "tanh" ? ActivationKind::gelu_tanh : ActivationKind::gelu);
}

/// Arithmetic on constants: what chains that compute shapes need. Integer division rounds towards zero.
Constant fold(OnnxNode& node, BinaryKind kind) {
    const Constant &a = node.constant(0, "operand"), &b = node.constant(1, "operand");
    if (a.type != b.type) refuse("its constant operands have different types");
    const Shape shape = infer_shape(op::Binary{kind}, {{a.dims, false}, {b.dims, false}});
    node.state().charge(shape.size());
    const Constant left = strided(a, shape.dims, 0, broadcast_strides(a.dims, shape.dims));
    const Constant right = strided(b, shape.dims, 0, broadcast_strides(b.dims, shape.dims));
    Constant result = make_constant(a.type, shape.dims);
    for (size_t i = 0; i < static_cast<size_t>(result.size()); ++i) {
        if (left.scales(i) || right.scales(i)) refuse("it computes with the number of images");
        if (result.is_real()) {
            result.reals[i] = static_cast<float>(combined(kind, left.number(i), right.number(i)));
            continue;
        }
        const int64_t x = left.integers[i], y = right.integers[i];
        if (kind == BinaryKind::divide && (y == 0 || (y == -1 && x == std::numeric_limits<int64_t>::min())))
            refuse("it divides integers by zero");
        bool overflow = false;
        int64_t z = 0;
        if (kind == BinaryKind::add) overflow = __builtin_add_overflow(x, y, &z);
        if (kind == BinaryKind::subtract) overflow = __builtin_sub_overflow(x, y, &z);
        if (kind == BinaryKind::multiply) overflow = __builtin_mul_overflow(x, y, &z);
        if (kind == BinaryKind::divide) z = x / y;
        if (overflow) refuse("its integers are too large");
        result.integers[i] = z;
    }
    return result;
}

template <BinaryKind kind>
void import_binary(OnnxNode& node) {
    if (node.all_constant()) return node.set_output(0, fold(node, kind));
    node.set_output(0, node.emit(op::Binary{kind}, {node.value(0), node.value(1)}));
}

constexpr OnnxOperator operators[] = {
    {"Add", import_binary<BinaryKind::add>},
    {"Clip", import_clip},
    {"Div", import_binary<BinaryKind::divide>},
    {"Erf", import_plain<ActivationKind::erf>},
    {"Exp", import_plain<ActivationKind::exp>},
    {"Gelu", import_gelu},
    {"HardSigmoid", import_hard_sigmoid},
    {"HardSwish", import_plain<ActivationKind::hard_swish>},
    {"LeakyRelu", import_leaky_relu},
    {"Mul", import_binary<BinaryKind::multiply>},
    {"Neg", import_neg},
    {"Pow", import_pow},
    {"Reciprocal", import_reciprocal},
    {"Relu", import_plain<ActivationKind::relu>},
    {"Sigmoid", import_plain<ActivationKind::sigmoid>},
    {"Sqrt", import_plain<ActivationKind::sqrt>},
    {"Sub", import_binary<BinaryKind::subtract>},
    {"Swish", import_swish},
    {"Tanh", import_plain<ActivationKind::tanh>},
};

}  // namespace

std::span<const OnnxOperator> elementwise_operators() { return operators; }

}  // namespace mho
