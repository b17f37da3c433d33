// models/graph.cc - the graph's own bookkeeping: sizes, names, validation, renumbering.
// Shape rules stand in shapes.cc.
#include "models/graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "kernels/base/error.h"

namespace mho {

std::vector<std::string> Node::names() const {
    std::vector<std::string> all{name};
    all.insert(all.end(), also.begin(), also.end());
    return all;
}

namespace {

[[noreturn]] void fail(const Node& node, const std::string& what) {
    throw InputError(fmt::format("node '{}' ({}): {}", node.name, operation_name(node.operation), what));
}

int64_t stored_parameters(const Operation& operation) {
    const auto count = [](const auto&... tensors) {
        return (static_cast<int64_t>(tensors.data.size()) + ...);
    };
    if (const auto* conv = std::get_if<op::Conv>(&operation)) return count(conv->weight, conv->bias);
    if (const auto* linear = std::get_if<op::Linear>(&operation)) return count(linear->weight, linear->bias);
    if (const auto* norm = std::get_if<op::BatchNorm>(&operation))
        return count(norm->scale, norm->shift, norm->mean, norm->variance);
    if (const auto* norm = std::get_if<op::LayerNorm>(&operation)) return count(norm->scale, norm->shift);
    return 0;
}

/// Checks one node against what is known so far, and marks its output as known.
void validate_node(const Graph& graph, const Node& node, std::vector<char>& known) {
    const auto in_range = [&](ValueId id) {
        return id >= 0 && static_cast<size_t>(id) < graph.values.size();
    };
    std::vector<Shape> shapes;
    for (ValueId id : node.inputs) {
        if (!in_range(id)) fail(node, fmt::format("input {} is not a value of the graph", id));
        const Value& value = graph.values[static_cast<size_t>(id)];
        if (!known[static_cast<size_t>(id)])
            fail(node, fmt::format("input '{}' is not computed by an earlier node", value.name));
        shapes.push_back(value.shape);
    }
    if (!in_range(node.output)) fail(node, fmt::format("output {} is not a value of the graph", node.output));
    const Value& output = graph.values[static_cast<size_t>(node.output)];
    if (known[static_cast<size_t>(node.output)])
        fail(node, fmt::format("output '{}' is a value that something else gives already", output.name));
    known[static_cast<size_t>(node.output)] = 1;
    try {
        check_shapes(node.operation, shapes, output.shape);
    } catch (const InputError& error) {
        fail(node, error.what());
    }
}

/// Values that are there before any node runs: constants and graph inputs.
std::vector<char> known_at_start(const Graph& graph) {
    std::vector<char> known(graph.values.size(), 0);
    for (size_t i = 0; i < graph.values.size(); ++i) {
        const Value& value = graph.values[i];
        if (!value.is_constant()) continue;
        known[i] = 1;
        if (value.shape.per_image || value.shape.dims != value.constant.dims ||
            value.shape.size() != static_cast<int64_t>(value.constant.data.size()))
            throw InputError(fmt::format("constant '{}' has {} elements and the shape {}", value.name,
                                         value.constant.data.size(), to_string(value.shape)));
    }
    for (ValueId id : graph.inputs) {
        if (id < 0 || static_cast<size_t>(id) >= known.size() || known[static_cast<size_t>(id)])
            throw InputError(fmt::format("graph input {} is no value, a constant, or listed twice", id));
        known[static_cast<size_t>(id)] = 1;
    }
    return known;
}

/// Which nodes lead to an output.
std::vector<char> needed_nodes(const Graph& graph) {
    std::vector<char> value_needed(graph.values.size(), 0), node_needed(graph.nodes.size(), 0);
    for (ValueId id : graph.outputs) value_needed[static_cast<size_t>(id)] = 1;
    for (size_t i = graph.nodes.size(); i-- > 0;) {
        const Node& node = graph.nodes[i];
        if (!value_needed[static_cast<size_t>(node.output)]) continue;
        node_needed[i] = 1;
        for (ValueId id : node.inputs) value_needed[static_cast<size_t>(id)] = 1;
    }
    return node_needed;
}

}  // namespace

int64_t Shape::size() const {
    int64_t count = 1;
    for (int64_t extent : dims) count *= extent;
    return count;
}

ValueId Graph::add_value(std::string name, Shape shape, Tensor constant) {
    values.push_back({std::move(name), std::move(shape), std::move(constant)});
    return static_cast<ValueId>(values.size()) - 1;
}

int64_t Graph::parameters() const {
    int64_t count = 0;
    for (const Node& node : nodes) count += stored_parameters(node.operation);
    return count;
}

void validate(const Graph& graph) {
    std::vector<char> known = known_at_start(graph);
    std::set<std::string> names;
    for (const Node& node : graph.nodes) {
        if (!names.insert(node.name).second) fail(node, "another node has the same name");
        validate_node(graph, node, known);
    }
    if (graph.outputs.empty()) throw InputError("the graph has no outputs");
    for (ValueId id : graph.outputs)
        if (id < 0 || static_cast<size_t>(id) >= known.size() || !known[static_cast<size_t>(id)])
            throw InputError(fmt::format("graph output {} is not computed by any node", id));
}

Graph compacted(const Graph& graph) {
    const std::vector<char> needed = needed_nodes(graph);
    Graph result;
    std::vector<ValueId> renumbered(graph.values.size(), -1);
    const auto move_value = [&](ValueId id) {
        ValueId& number = renumbered[static_cast<size_t>(id)];
        if (number < 0) {
            const Value& value = graph.values[static_cast<size_t>(id)];
            number = result.add_value(value.name, value.shape, value.constant);
        }
        return number;
    };
    for (ValueId id : graph.inputs) result.inputs.push_back(move_value(id));
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
        if (!needed[i]) continue;
        Node node = graph.nodes[i];
        for (ValueId& id : node.inputs) id = move_value(id);
        node.output = move_value(node.output);
        result.nodes.push_back(std::move(node));
    }
    for (ValueId id : graph.outputs) result.outputs.push_back(move_value(id));
    return result;
}

std::string to_string(const Shape& shape) {
    if (shape.dims.empty()) return "scalar";
    std::string text = fmt::format("{}", fmt::join(shape.dims, " x "));
    return shape.per_image ? "n * " + text : text;
}

const char* operation_name(const Operation& operation) {
    constexpr const char* names[] = {"Conv",   "Linear", "BatchNorm",  "LayerNorm", "Activate",
                                     "Binary", "Pool",   "ReduceMean", "Reshape",   "Transpose",
                                     "Concat", "Slice",  "Gather",     "Pad",       "Softmax"};
    static_assert(std::size(names) == std::variant_size_v<Operation>);
    return names[operation.index()];
}

}  // namespace mho
