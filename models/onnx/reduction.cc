// models/onnx/reduction.cc - operators that reduce axes: means, sums, norms; of constants too, which is how
// weights are standardised or normalised in a file. To add one: see import.h.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/onnx/import.h"
#include "models/onnx/reduction.h"

namespace mho {

Tensor reduced(const Tensor& x, const std::vector<int>& axes, bool keep, Reduction kind) {
    std::vector<int64_t> kept = x.dims, dims;
    int64_t count = 1;
    for (int axis : axes) {
        count *= kept[static_cast<size_t>(axis)];
        kept[static_cast<size_t>(axis)] = 1;
    }
    for (size_t axis = 0; axis < kept.size(); ++axis)
        if (keep || std::find(axes.begin(), axes.end(), static_cast<int>(axis)) == axes.end())
            dims.push_back(kept[axis]);
    std::vector<double> sums(static_cast<size_t>(Shape{kept, false}.size()), 0.0);
    for (size_t i = 0; i < x.data.size(); ++i) {
        size_t rest = i, to = 0, stride = 1;
        for (size_t axis = kept.size(); axis-- > 0;) {
            const size_t extent = static_cast<size_t>(x.dims[axis]);
            if (kept[axis] != 1) to += rest % extent * stride;
            stride *= static_cast<size_t>(kept[axis]);
            rest /= extent;
        }
        const double v = static_cast<double>(x.data[i]);
        sums[to] += kind == Reduction::norm ? v * v : v;
    }
    Tensor y{dims, {}};
    for (double sum : sums) {
        if (kind == Reduction::mean) sum /= static_cast<double>(count);
        if (kind == Reduction::norm) sum = std::sqrt(sum);
        y.data.push_back(static_cast<float>(sum));
    }
    return y;
}

namespace {

/// Of a computed value: a mean, times how many were averaged, of squares where a norm is wanted.
ValueId emit_reduction(OnnxNode& node, const std::vector<int>& axes, bool keep, Reduction kind) {
    const ValueId x = node.value(0);
    if (kind == Reduction::mean) return node.emit(op::ReduceMean{axes, keep}, {x});
    int64_t count = 1;
    for (int axis : axes) count *= node.shape(0).dims[static_cast<size_t>(axis)];
    const bool squares = kind == Reduction::norm;
    const ValueId of = squares ? node.emit(op::Binary{BinaryKind::multiply}, {x, x}, "squares") : x;
    const ValueId mean = node.emit(op::ReduceMean{axes, keep}, {of}, "mean");
    const ValueId number = node.emit_constant({}, {static_cast<float>(count)}, "count");
    const ValueId sum = node.emit(op::Binary{BinaryKind::multiply}, {mean, number}, squares ? "sum" : "");
    return squares ? node.emit(op::Activate{{ActivationKind::sqrt, 0, 0}}, {sum}) : sum;
}

/// `input_since`: the operator set that takes the axes from an input.
void import_reduction(OnnxNode& node, Reduction kind, int64_t input_since) {
    const bool keep = node.integer("keepdims", 1) != 0;
    const bool noop_if_empty = node.opset() >= input_since && node.integer("noop_with_empty_axes", 0) != 0;
    const size_t rank = node.shape(0).dims.size();
    std::vector<int> axes = resolve_axes(listed_axes(node, 1, input_since), rank);
    if (axes.empty() && noop_if_empty) return node.set_output(0, node.input(0));
    if (axes.empty()) {
        axes.resize(rank);
        std::iota(axes.begin(), axes.end(), 0);
    }
    if (!node.input(0).is_constant()) return node.set_output(0, emit_reduction(node, axes, keep, kind));
    const Tensor x = node.weight(0, "operand");
    node.state().charge(static_cast<int64_t>(x.data.size()));
    Tensor y = reduced(x, axes, keep, kind);
    node.set_output(0, real_constant(std::move(y.dims), std::move(y.data)));
}

void import_reduce_mean(OnnxNode& node) { import_reduction(node, Reduction::mean, 18); }
void import_reduce_sum(OnnxNode& node) { import_reduction(node, Reduction::sum, 13); }
void import_reduce_l2(OnnxNode& node) { import_reduction(node, Reduction::norm, 18); }

constexpr OnnxOperator operators[] = {
    {"ReduceL2", import_reduce_l2},
    {"ReduceMean", import_reduce_mean},
    {"ReduceSum", import_reduce_sum},
};

}  // namespace

std::span<const OnnxOperator> reduction_operators() { return operators; }

}  // namespace mho
