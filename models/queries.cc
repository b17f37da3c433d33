#include "models/queries.h"

#include <numeric>

namespace mho {

NumberedGraph number_nodes(Graph graph) {
    std::vector<uint32_t> layer(graph.nodes.size());
    std::iota(layer.begin(), layer.end(), 0u);
    return {std::move(graph), std::move(layer)};
}

std::vector<int> count_readers(const Graph& graph) {
    std::vector<int> readers(graph.values.size(), 0);
    for (const Node& node : graph.nodes)
        for (ValueId input : node.inputs) ++readers[input];
    for (ValueId output : graph.outputs) ++readers[output];
    return readers;
}

std::vector<int> find_makers(const Graph& graph) {
    std::vector<int> maker(graph.values.size(), -1);
    for (size_t i = 0; i < graph.nodes.size(); ++i) maker[graph.nodes[i].output] = static_cast<int>(i);
    return maker;
}

std::vector<int> count_memory_readers(const Graph& graph) {
    std::vector<ValueId> source(graph.values.size());
    std::iota(source.begin(), source.end(), 0);
    std::vector<int> readers(graph.values.size(), 0);
    for (const Node& node : graph.nodes) {
        if (std::holds_alternative<op::Transpose>(node.operation)) {
            source[node.output] = source[node.inputs[0]];
            continue;
        }
        for (ValueId value : node.inputs) ++readers[source[value]];
    }
    for (ValueId output : graph.outputs) ++readers[source[output]];
    for (size_t value = 0; value < readers.size(); ++value) readers[value] = readers[source[value]];
    return readers;
}

std::vector<const Node*> weight_layers(const Graph& graph) {
    std::vector<const Node*> layers;
    for (const Node& node : graph.nodes)
        if (std::holds_alternative<op::Conv>(node.operation) ||
            std::holds_alternative<op::Linear>(node.operation))
            layers.push_back(&node);
    return layers;
}

ValueId residual_identity(const Graph& graph, const Node& node) {
    const auto* binary = std::get_if<op::Binary>(&node.operation);
    if (!binary || binary->kind != BinaryKind::add) return -1;
    for (ValueId value : node.inputs)
        if (graph.values[value].is_constant()) return -1;
    // Everything that each operand is computed from, walking the topological order backwards.
    auto depends = [&](ValueId from, ValueId on) {
        std::vector<bool> needed(graph.values.size(), false);
        needed[from] = true;
        for (size_t i = graph.nodes.size(); i-- > 0;)
            if (needed[graph.nodes[i].output])
                for (ValueId v : graph.nodes[i].inputs) needed[v] = true;
        return from != on && needed[on];
    };
    if (depends(node.inputs[1], node.inputs[0])) return node.inputs[0];
    if (depends(node.inputs[0], node.inputs[1])) return node.inputs[1];
    return -1;
}

}  // namespace mho
