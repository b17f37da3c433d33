#include "host/chip/point_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "host/chip/batch_norm.h"
#include "host/config/layers.h"
#include "kernels/base/error.h"

namespace mho {
namespace {

/// The largest weight extent of all crossbar layers that share one scale.
double network_scale(const Config& config, const NumberedGraph& network) {
    double extent = 0;
    for (const Node* node : weight_layers(network.graph)) {
        const LayerConfig layer = layer_config(config, node->names());
        if (layer.digital || layer.config.crossbar.scale != WeightScale::network) continue;
        const auto* conv = std::get_if<op::Conv>(&node->operation);
        const Tensor& weight = conv ? conv->weight : std::get<op::Linear>(node->operation).weight;
        extent = std::max(extent, weight_extent(weight.data, layer.config.crossbar.clip));
    }
    return extent;
}

}  // namespace

NumberedGraph prepare_network(const Graph& graph, const Config& config) {
    NumberedGraph numbered = number_nodes(graph);
    return config.chip.batch_norm == BatchNormMode::fold ? fold_batch_norm(numbered) : numbered;
}

std::vector<std::vector<std::string>> analog_layers(const Config& config, const NumberedGraph& network) {
    std::vector<std::vector<std::string>> names;
    for (const Node& node : network.graph.nodes) {
        const bool weights = std::holds_alternative<op::Conv>(node.operation) ||
                             std::holds_alternative<op::Linear>(node.operation);
        const bool norm = std::holds_alternative<op::BatchNorm>(node.operation) &&
                          config.chip.batch_norm == BatchNormMode::analog;
        const bool identity =
            config.chip.identity == IdentityMode::analog && residual_identity(network.graph, node) >= 0;
        if (weights || norm || identity) names.push_back(node.names());
    }
    return names;
}

LoweringOptions lowering_options(const Config& config, const NumberedGraph& network,
                                 const std::string& only_layer) {
    LoweringOptions options;
    options.analog_batch_norm = config.chip.batch_norm == BatchNormMode::analog;
    options.analog_identity = config.chip.identity == IdentityMode::analog;
    options.relu_levels = static_cast<int>(config.chip.relu_levels);
    options.precision = config.monte_carlo.precision;
    const bool crossbar = config.chip.level == ChipLevel::crossbar;
    const double scale = crossbar ? network_scale(config, network) : 0;
    options.choose = [config, crossbar, scale, only_layer](const Node& node) {
        LayerChoice choice;
        const LayerConfig layer = layer_config(config, node.names());
        if (layer.digital || (!only_layer.empty() && node.name != only_layer)) return choice;
        choice.level = crossbar ? Level::crossbar : Level::parameter;
        if (crossbar) {
            choice.mapping = {layer.config, {}};
            if (layer.config.crossbar.scale == WeightScale::network) choice.mapping.network_scale = scale;
        } else {
            choice.parameter = layer.config.parameter;
        }
        return choice;
    };
    return options;
}

namespace {

bool has_residual(const Graph& graph) {
    return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                       [&](const Node& node) { return residual_identity(graph, node) >= 0; });
}

}  // namespace

void check_points(const Config& config, const std::vector<SweepPoint>& points, const Graph& graph) {
    std::map<BatchNormMode, NumberedGraph> networks;
    std::vector<PointLayers> layers;
    for (const SweepPoint& point : points) {
        const BatchNormMode mode = point.config.chip.batch_norm;
        if (!networks.contains(mode)) networks.emplace(mode, prepare_network(graph, point.config));
        const NumberedGraph& network = networks.at(mode);
        if (point.config.chip.identity == IdentityMode::analog && !has_residual(network.graph))
            throw InputError(fmt::format(
                "{}: chip.identity = \"analog\" does nothing: the network has no residual connection",
                config.source));
        layers.push_back({point.config, analog_layers(point.config, network)});
    }
    check_layers(config, layers);
    for (const PointLayers& point : layers)
        for (const std::vector<std::string>& names : point.layers) {
            const LayerConfig layer = layer_config(point.config, names);
            if (layer.config.chip.level == ChipLevel::crossbar && !layer.digital)
                check_grid(layer.config, names[0]);
        }
    lower_digital(networks.begin()->second);
}

}  // namespace mho
