// models/graph.h - a network as a typed directed acyclic graph, in topological order.
// It knows no file format: onnx/reader.cc makes one, onnx/writer.cc saves one, host/ maps one onto a chip.
// To add an operation: a struct below, its line in Operation, its shape rule in shapes.cc, its reader and
// writer in models/onnx, and its lowering in host/chip/lowering.cc.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "kernels/steps/activations.h"
#include "kernels/steps/binary.h"
#include "kernels/steps/ops.h"

namespace mho {

/// Extents of a value, row-major, in ONNX's axis order (image values are N, C, spatial...).
/// Where `per_image`, axis 0 has dims[0] entries for every image of the batch: a batch of n has
/// dims[0] * n. So a graph is free of any batch size.
struct Shape {
    std::vector<int64_t> dims;
    bool per_image = false;

    /// Number of elements: of one image where per_image, else of the whole value.
    int64_t size() const;
    bool operator==(const Shape&) const = default;
};

/// A constant float tensor, row-major. A scalar has no dims and one element.
struct Tensor {
    std::vector<int64_t> dims;
    std::vector<float> data;

    bool empty() const { return data.empty(); }
    bool operator==(const Tensor&) const = default;
};

using ValueId = int;

/// An edge of the graph: a graph input, the result of one node, or a constant.
struct Value {
    std::string name;
    Shape shape;
    Tensor constant;  ///< empty unless the value is a constant

    bool is_constant() const { return !constant.empty(); }
    bool operator==(const Value&) const = default;
};

/// The operations. Inputs of a node stand in Node::inputs; what is constant by nature stands here.
namespace op {

/// Convolution. Input N x C x spatial, output N x O x spatial. Its weight matrix has, for each group,
/// K = C/groups * kernel inputs and O/groups outputs (docs/physics.md section 2).
struct Conv {
    Window window;
    int spatial_rank = 2;  ///< 1 to 3
    int64_t groups = 1;
    Tensor weight;  ///< O x C/groups x kernel
    Tensor bias;    ///< O, or empty
    bool operator==(const Conv&) const = default;
};
/// y = x W' + b over the last axis, any leading axes. Gemm and MatMul by a constant become this.
struct Linear {
    Tensor weight;  ///< N x K: one row an output
    Tensor bias;    ///< N, or empty
    bool operator==(const Linear&) const = default;
};
/// (x - mean) / sqrt(variance + epsilon) * scale + shift, one of each a channel (axis 1).
struct BatchNorm {
    Tensor scale, shift, mean, variance;  ///< C each
    float epsilon = 1e-5f;
    bool operator==(const BatchNorm&) const = default;
};
/// Normalisation over the axes from `axis` on; scale and shift have the normalised extents, shift may be
/// empty.
struct LayerNorm {
    int axis = -1;  ///< resolved: not negative after reading
    float epsilon = 1e-5f;
    Tensor scale, shift;
    bool operator==(const LayerNorm&) const = default;
};
struct Activate {
    Activation activation;
    bool operator==(const Activate&) const = default;
};
/// Two inputs (either may be a constant value), ONNX (NumPy) broadcasting.
struct Binary {
    BinaryKind kind = BinaryKind::add;
    bool operator==(const Binary&) const = default;
};
struct Pool {
    PoolKind kind = PoolKind::maximum;
    Window window;
    int spatial_rank = 2;  ///< 1 to 3
    /// Average only: padding counts as zeros (but never what ceil_mode adds).
    bool count_include_pad = false;
    std::array<int64_t, 3> ceil_extra{0, 0, 0};  ///< how much of window.pad_end only ceil_mode added
    bool operator==(const Pool&) const = default;
};
/// Mean over `axes` (global average pooling included).
struct ReduceMean {
    std::vector<int> axes;  ///< resolved, ascending
    bool keep_dims = true;
    bool operator==(const ReduceMean&) const = default;
};
/// Same elements in the same row-major order, another shape: Reshape, Flatten, Squeeze, Unsqueeze.
struct Reshape {
    bool operator==(const Reshape&) const = default;
};
struct Transpose {
    std::vector<int> permutation;  ///< output axis i is input axis permutation[i]
    bool operator==(const Transpose&) const = default;
};
struct Concat {
    int axis = 0;
    bool operator==(const Concat&) const = default;
};
/// Every axis has a begin and a step (which may be negative); the output shape gives the count.
struct Slice {
    std::vector<int64_t> begin, step;
    bool operator==(const Slice&) const = default;
};
/// Picks along one axis; the output has the extents of `indices` in place of that axis.
struct Gather {
    int axis = 0;
    std::vector<int64_t> indices;       ///< resolved: 0 <= index < extent
    std::vector<int64_t> indices_dims;  ///< empty for a scalar index
    bool operator==(const Gather&) const = default;
};
struct Pad {
    PadMode mode = PadMode::constant;
    std::vector<int64_t> begin, end;  ///< one an axis; negative crops
    float value = 0;
    bool operator==(const Pad&) const = default;
};
struct Softmax {
    int axis = -1;  ///< resolved; the normalised axes are this one alone (opset >= 13 semantics)
    bool operator==(const Softmax&) const = default;
};

}  // namespace op

using Operation = std::variant<op::Conv, op::Linear, op::BatchNorm, op::LayerNorm, op::Activate, op::Binary,
                               op::Pool, op::ReduceMean, op::Reshape, op::Transpose, op::Concat, op::Slice,
                               op::Gather, op::Pad, op::Softmax>;

/// One operation with one result.
struct Node {
    std::string name;  ///< unique in the graph; as in the file where the file names it
    Operation operation;
    std::vector<ValueId> inputs;
    ValueId output = -1;
    std::vector<std::string> also =
        {};  ///< what else a person may call it: the module it was, its weight's name

    /// What a config may call it, its own name first.
    std::vector<std::string> names() const;
    bool operator==(const Node& o) const {
        return name == o.name && operation == o.operation && inputs == o.inputs && output == o.output;
    }
};

struct Graph {
    std::vector<Value> values;
    std::vector<Node>
        nodes;  ///< topological: an input is a graph input, a constant, or the output of an earlier node
    std::vector<ValueId> inputs;
    std::vector<ValueId> outputs;

    /// Adds a value and returns its id.
    ValueId add_value(std::string name, Shape shape, Tensor constant = {});
    /// Number of weights, biases and normalisation constants.
    int64_t parameters() const;
    /// Equal value by value and node by node; for graphs numbered differently compare compacted() ones.
    bool operator==(const Graph&) const = default;
};

/// The largest number of elements that a value may have, for one image: 8 GiB of float32. No network comes
/// near it, small hostile files would, and sizes up to it do not overflow.
inline constexpr int64_t max_elements = int64_t{1} << 31;

/// The largest kernel extent, stride, dilation or padding of a window: no network comes near it.
inline constexpr int64_t max_window = int64_t{1} << 20;

/// The shape that `operation` gives from the shapes of its inputs. A batch stays in axis 0: what would move
/// it, mix its images or pick some of them is refused. Reshape and Slice cannot be inferred, since their
/// target stands in the output value: see check_shapes. Throws InputError that names the operation, the
/// shapes and the rule they break.
Shape infer_shape(const Operation& operation, const std::vector<Shape>& inputs);

/// Throws InputError unless `operation` gives `output` from `inputs`: for every operation, Reshape and Slice
/// included.
void check_shapes(const Operation& operation, const std::vector<Shape>& inputs, const Shape& output);

/// Throws InputError, naming the node, unless the graph is what this header says: ids in range, topological
/// order, each value produced once, unique node names, shapes as inferred, constants as large as their
/// shapes.
void validate(const Graph& graph);

/// The graph without the nodes and values that no output needs, its values numbered anew: the inputs, then
/// for each node its constants and its output. Two graphs that differ in numbering alone become equal.
Graph compacted(const Graph& graph);

/// "2 x 3 x 8 x 8", with "n x" before the extents where they are per image: how messages print a shape.
std::string to_string(const Shape& shape);

/// The operation's name as messages and reports print it ("Conv", "BatchNorm", ...).
const char* operation_name(const Operation& operation);

}  // namespace mho
