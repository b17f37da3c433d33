// tests/graph_builder.h - small networks of small whole numbers: sums of products stay exact in float32, so
// whatever order they are added in, results compare with ==.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "models/graph.h"

namespace mho::testing {

/// An activation of a kind, with parameters where it takes any. To add one that does: its case here.
inline Activation parametrised(ActivationKind kind) {
    switch (kind) {
        case ActivationKind::clip:
            return {kind, -1.5f, 3};
        case ActivationKind::leaky_relu:
            return {kind, 0.1f, 0};
        case ActivationKind::hard_sigmoid:
            return {kind, 0.3f, 0.4f};
        default:
            return {kind, 0, 0};
    }
}

class GraphBuilder {
  public:
    explicit GraphBuilder(uint32_t seed) : random_(seed) {}

    /// dims: extents of one image with the batch axis in front (1 an image).
    ValueId input(std::vector<int64_t> dims) {
        const ValueId id =
            graph.add_value("input" + std::to_string(graph.inputs.size()), {std::move(dims), true});
        graph.inputs.push_back(id);
        return id;
    }
    ValueId constant(std::vector<int64_t> dims) {
        Tensor t = whole_numbers(dims, 3);
        return graph.add_value("constant" + std::to_string(graph.values.size()), {std::move(dims), false},
                               std::move(t));
    }
    ValueId add(Operation operation, std::vector<ValueId> inputs) {
        std::vector<Shape> shapes;
        for (ValueId v : inputs) shapes.push_back(graph.values[static_cast<size_t>(v)].shape);
        Shape shape = infer_shape(operation, shapes);
        return add_as(std::move(operation), std::move(inputs), std::move(shape));
    }
    ValueId add_as(Operation operation, std::vector<ValueId> inputs, Shape shape) {
        const std::string name = operation_name(operation) + std::to_string(graph.nodes.size());
        const ValueId output = graph.add_value(name + "_out", std::move(shape));
        graph.nodes.push_back({name, std::move(operation), std::move(inputs), output});
        return output;
    }

    ValueId conv(ValueId x, int64_t outputs, int64_t kernel, int64_t stride = 1, int64_t groups = 1,
                 bool bias = true, int64_t dilation = 1) {
        const std::vector<int64_t>& dims = graph.values[static_cast<size_t>(x)].shape.dims;
        op::Conv c;
        c.spatial_rank = static_cast<int>(dims.size()) - 2;
        c.groups = groups;
        std::vector<int64_t> weight{outputs, dims[1] / groups};
        for (int i = 3 - c.spatial_rank; i < 3; ++i) {
            const size_t s = static_cast<size_t>(i);
            c.window.kernel[s] = kernel;
            c.window.stride[s] = stride;
            c.window.dilation[s] = dilation;
            c.window.pad_begin[s] = c.window.pad_end[s] = (kernel - 1) * dilation / 2;
            weight.push_back(kernel);
        }
        c.weight = whole_numbers(weight, 2);
        if (bias) c.bias = whole_numbers({outputs}, 4);
        return add(std::move(c), {x});
    }
    ValueId linear(ValueId x, int64_t outputs, bool bias = true) {
        op::Linear l;
        l.weight = whole_numbers({outputs, graph.values[static_cast<size_t>(x)].shape.dims.back()}, 2);
        if (bias) l.bias = whole_numbers({outputs}, 4);
        return add(std::move(l), {x});
    }
    /// variance + epsilon is 4, so the effective scale is a whole number over 2: exact.
    ValueId batch_norm(ValueId x) {
        const int64_t c = graph.values[static_cast<size_t>(x)].shape.dims[1];
        op::BatchNorm n{whole_numbers({c}, 3), whole_numbers({c}, 3), whole_numbers({c}, 2),
                        whole_numbers({c}, 0), 0.25f};
        for (float& v : n.variance.data) v = 3.75f;
        return add(std::move(n), {x});
    }
    ValueId relu(ValueId x) { return add(op::Activate{{ActivationKind::relu, 0, 0}}, {x}); }
    ValueId binary(BinaryKind kind, ValueId a, ValueId b) { return add(op::Binary{kind}, {a, b}); }
    ValueId pool(ValueId x, PoolKind kind, int64_t kernel, int64_t stride, int64_t pad) {
        op::Pool p;
        p.kind = kind;
        p.spatial_rank = static_cast<int>(graph.values[static_cast<size_t>(x)].shape.dims.size()) - 2;
        for (int i = 3 - p.spatial_rank; i < 3; ++i) {
            const size_t s = static_cast<size_t>(i);
            p.window.kernel[s] = kernel;
            p.window.stride[s] = stride;
            p.window.pad_begin[s] = p.window.pad_end[s] = pad;
        }
        return add(p, {x});
    }
    ValueId mean(ValueId x, std::vector<int> axes, bool keep = true) {
        return add(op::ReduceMean{std::move(axes), keep}, {x});
    }
    ValueId reshape(ValueId x, std::vector<int64_t> dims) {
        return add_as(op::Reshape{}, {x}, {std::move(dims), true});
    }
    ValueId transpose(ValueId x, std::vector<int> permutation) {
        return add(op::Transpose{std::move(permutation)}, {x});
    }
    void output(ValueId value) { graph.outputs.push_back(value); }

    /// Whole numbers in [-largest, largest].
    Tensor whole_numbers(std::vector<int64_t> dims, int largest) {
        int64_t n = 1;
        for (int64_t d : dims) n *= d;
        std::uniform_int_distribution<int> draw(-largest, largest);
        Tensor t{std::move(dims), {}};
        for (int64_t i = 0; i < n; ++i) t.data.push_back(static_cast<float>(draw(random_)));
        return t;
    }

    Graph graph;

  private:
    std::mt19937 random_;
};

}  // namespace mho::testing
