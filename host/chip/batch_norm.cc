#include "host/chip/batch_norm.h"

#include <cmath>

namespace mho {
namespace {

/// weight: O x anything, bias: O or empty. w' = s w, b' = s b + t, rounded once from double.
void scale_outputs(Tensor& weight, Tensor& bias, const ChannelAffine& affine) {
    const size_t outputs = affine.scale.size(), inputs = weight.data.size() / outputs;
    if (bias.empty()) bias = {{static_cast<int64_t>(outputs)}, std::vector<float>(outputs, 0.0f)};
    for (size_t o = 0; o < outputs; ++o) {
        const double s = affine.scale[o];
        for (size_t i = 0; i < inputs; ++i)
            weight.data[o * inputs + i] = static_cast<float>(s * weight.data[o * inputs + i]);
        bias.data[o] = static_cast<float>(s * bias.data[o] + affine.shift[o]);
    }
}

bool fold_into(Operation& layer, const ChannelAffine& affine) {
    if (auto* conv = std::get_if<op::Conv>(&layer)) {
        scale_outputs(conv->weight, conv->bias, affine);
        return true;
    }
    if (auto* linear = std::get_if<op::Linear>(&layer)) {
        scale_outputs(linear->weight, linear->bias, affine);
        return true;
    }
    return false;
}

/// A linear layer's outputs are channels only where its result has two axes; a convolution's always are.
bool channels_are_outputs(const Graph& graph, const Node& layer) {
    return std::holds_alternative<op::Conv>(layer.operation) ||
           graph.values[layer.output].shape.dims.size() == 2;
}

}  // namespace

ChannelAffine channel_affine(const op::BatchNorm& norm) {
    ChannelAffine affine;
    for (size_t c = 0; c < norm.scale.data.size(); ++c) {
        const double scale =
            norm.scale.data[c] / std::sqrt(static_cast<double>(norm.variance.data[c]) + norm.epsilon);
        affine.scale.push_back(static_cast<float>(scale));
        affine.shift.push_back(static_cast<float>(norm.shift.data[c] - norm.mean.data[c] * scale));
    }
    return affine;
}

NumberedGraph fold_batch_norm(const NumberedGraph& network) {
    Graph graph = network.graph;
    const std::vector<int> maker = find_makers(graph), readers = count_readers(graph);
    std::vector<bool> folded(graph.nodes.size(), false);
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
        const auto* norm = std::get_if<op::BatchNorm>(&graph.nodes[i].operation);
        if (!norm) continue;
        const ValueId input = graph.nodes[i].inputs[0];
        if (maker[input] < 0 || readers[input] != 1) continue;
        Node& layer = graph.nodes[static_cast<size_t>(maker[input])];
        if (!channels_are_outputs(graph, layer) || !fold_into(layer.operation, channel_affine(*norm)))
            continue;
        layer.output = graph.nodes[i].output;
        folded[i] = true;
    }
    NumberedGraph result;
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
        if (folded[i]) continue;
        result.graph.nodes.push_back(std::move(graph.nodes[i]));
        result.layer.push_back(network.layer[i]);
    }
    result.graph.values = std::move(graph.values);
    result.graph.inputs = std::move(graph.inputs);
    result.graph.outputs = std::move(graph.outputs);
    return result;
}

}  // namespace mho
