#include "host/chip/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "host/chip/axis_order.h"
#include "host/chip/batch_norm.h"

namespace mho {
namespace {

/// A constant operand, where its node reads it and how its axes lie in the parameter.
struct ConstantOperand {
    size_t operand;
    std::vector<int64_t> dims;  ///< with leading extents of 1, as many as the result has

    ConstantOperand(const Graph& graph, const Node& node) {
        const auto is_constant = [&](ValueId v) { return graph.values[v].is_constant(); };
        const auto found = std::find_if(node.inputs.begin(), node.inputs.end(), is_constant);
        if (found == node.inputs.end())
            throw std::invalid_argument(fmt::format("\"{}\" has no constant operand", node.name));
        operand = static_cast<size_t>(found - node.inputs.begin());
        dims = padded_dims(graph.values[*found].constant.dims, graph.values[node.output].shape.dims.size());
    }
};

/// The array of `node` that a parameter of this role is a copy of; null where its values lie otherwise.
Tensor* array_of(Node& node, ParameterRole role) {
    const bool first = role == ParameterRole::weight || role == ParameterRole::scale;
    if (auto* conv = std::get_if<op::Conv>(&node.operation)) return first ? &conv->weight : &conv->bias;
    if (auto* linear = std::get_if<op::Linear>(&node.operation))
        return first ? &linear->weight : &linear->bias;
    if (auto* norm = std::get_if<op::LayerNorm>(&node.operation)) return first ? &norm->scale : &norm->shift;
    return nullptr;
}

/// What the network holds of a parameter, as the plan lays it.
std::vector<float> held(Graph& graph, Node& node, const ParameterSource& source) {
    if (source.role == ParameterRole::constant) {
        const ConstantOperand at(graph, node);
        return permuted(graph.values[node.inputs[at.operand]].constant.data, at.dims, source.order);
    }
    if (const auto* norm = std::get_if<op::BatchNorm>(&node.operation)) {
        const ChannelAffine affine = channel_affine(*norm);
        return source.role == ParameterRole::scale ? affine.scale : affine.shift;
    }
    const Tensor* array = array_of(node, source.role);
    return array ? array->data : std::vector<float>{};
}

void set_constant(Graph& graph, Node& node, const AxisOrder& order, const std::vector<float>& value) {
    const ConstantOperand at(graph, node);
    AxisOrder back;
    for (size_t axis = 0; axis < at.dims.size(); ++axis)
        back.push_back(position_of(order, static_cast<int>(axis)));
    ValueId& operand = node.inputs[at.operand];
    if (count_readers(graph)[static_cast<size_t>(operand)] > 1) {
        const Value shared = graph.values[operand];
        operand =
            graph.add_value(fmt::format("{} of {}", shared.name, node.name), shared.shape, shared.constant);
    }
    graph.values[operand].constant.data = permuted(value, physical_dims(at.dims, order), back);
}

/// y = scale x + shift, and nothing else.
void set_affine(op::BatchNorm& norm, ParameterRole role, const std::vector<float>& value) {
    ChannelAffine affine = channel_affine(norm);
    (role == ParameterRole::scale ? affine.scale : affine.shift) = value;
    norm.scale.data = affine.scale;
    norm.shift.data = affine.shift;
    std::fill(norm.mean.data.begin(), norm.mean.data.end(), 0.0f);
    std::fill(norm.variance.data.begin(), norm.variance.data.end(), 1.0f);
    norm.epsilon = 0;
}

void set(Graph& graph, Node& node, const ParameterSource& source, const std::vector<float>& value) {
    if (source.role == ParameterRole::constant) return set_constant(graph, node, source.order, value);
    if (auto* norm = std::get_if<op::BatchNorm>(&node.operation))
        return set_affine(*norm, source.role, value);
    array_of(node, source.role)->data = value;
}

}  // namespace

NumberedGraph with_parameters(NumberedGraph network, const Plan& plan,
                              const std::vector<std::vector<float>>& values) {
    if (values.size() != plan.parameters.size())
        throw std::invalid_argument(
            fmt::format("{} arrays for {} parameters", values.size(), plan.parameters.size()));
    for (size_t i = 0; i < values.size(); ++i) {
        const Parameter& parameter = plan.parameters[i];
        const ParameterSource& source = parameter.source;
        if (values[i].size() != parameter.value.size())
            throw std::invalid_argument(fmt::format("parameter {} has {} elements, {} were given", i,
                                                    parameter.value.size(), values[i].size()));
        if (source.role == ParameterRole::identity) {
            if (values[i] == parameter.value) continue;
            throw std::invalid_argument(fmt::format(
                "parameter {}: factors of a residual connection are a chip's, and in no network", i));
        }
        const auto number = std::find(network.layer.begin(), network.layer.end(), source.node);
        if (number == network.layer.end())
            throw std::invalid_argument(fmt::format("the network has no node {}", source.node));
        Node& node = network.graph.nodes[static_cast<size_t>(number - network.layer.begin())];
        if (held(network.graph, node, source) != parameter.value)
            throw std::invalid_argument(
                fmt::format("\"{}\" does not hold parameter {} of the plan: another network, or not folded "
                            "as the plan's was",
                            node.name, i));
        if (values[i] != parameter.value) set(network.graph, node, source, values[i]);
    }
    return network;
}

}  // namespace mho
