#include "host/chip/point_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "host/chip/batch_norm.h"
#include "host/config/layers.h"
#include "kernels/base/error.h"

namespace mho {
namespace {

ParameterModel parameter_model(const ParameterConfig& c) {
    ParameterModel model;
    model.sigma = static_cast<float>(c.sigma);
    model.mu = static_cast<float>(c.mu);
    model.distribution = c.distribution;
    model.range = {c.range, c.quantile};
    model.scale = c.scale;
    return model;
}

DeviceModel device_model(const DeviceConfig& c) {
    DeviceModel device;
    device.error = c.sigma > 0 ? c.error : ErrorKind::none;
    device.relative_to = c.relative_to;
    device.sigma = static_cast<float>(c.sigma);
    device.stuck_low = static_cast<float>(c.stuck_low);
    device.stuck_high = static_cast<float>(c.stuck_high);
    device.stuck_value = c.stuck_value;
    device.read_noise = static_cast<float>(c.read_noise);
    return device;
}

AdcModel adc_model(const AdcConfig& c) {
    AdcModel adc;
    adc.bits = static_cast<int>(c.bits);
    adc.range = c.range;
    adc.granularity = c.granularity;
    adc.low = c.low;
    adc.high = c.high;
    adc.percentile = c.percentile;
    adc.noise = static_cast<float>(c.noise);
    adc.gain_sigma = static_cast<float>(c.gain_sigma);
    adc.offset_sigma = static_cast<float>(c.offset_sigma);
    adc.columns_per_adc = c.columns_per_adc;
    adc.calibrate_chip = c.calibrate == CalibrateOn::chip;
    return adc;
}

MappingOptions mapping_options(const Config& c) {
    MappingOptions m;
    m.rows = c.crossbar.rows;
    m.columns = c.crossbar.columns;
    m.packed = c.crossbar.fill == Fill::packed;
    m.scheme = c.crossbar.scheme;
    m.subtract = c.crossbar.subtract;
    m.reference = c.crossbar.reference;
    m.weight_bits = static_cast<int>(c.crossbar.weight_bits);
    m.cell_bits = static_cast<int>(c.crossbar.cell_bits);
    m.scale_per_column = c.crossbar.scale == WeightScale::column;
    m.clip = c.crossbar.clip;
    m.bias_rows = c.crossbar.bias == BiasMode::analog ? c.crossbar.bias_rows : 0;
    m.headroom = c.crossbar.headroom;
    m.g_ratio = c.device.g_min / c.device.g_max;
    m.levels = c.device.levels;
    m.input.x_bits = static_cast<int>(c.crossbar.input_bits);
    m.input.dac_bits = static_cast<int>(c.crossbar.dac_bits);
    m.input.sign = c.crossbar.input_sign;
    m.input.clip_percentile = c.crossbar.input_clip.value_or(100);
    m.device = device_model(c.device);
    m.adc = adc_model(c.adc);
    return m;
}

/// The largest weight extent of all crossbar layers that share one scale.
double network_scale(const Config& config, const NumberedGraph& network) {
    double extent = 0;
    for (const Node* node : weight_layers(network.graph)) {
        const LayerConfig layer = layer_config(config, node->name);
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

std::vector<std::string> analog_layers(const Config& config, const NumberedGraph& network) {
    std::vector<std::string> names;
    for (const Node& node : network.graph.nodes) {
        const bool weights = std::holds_alternative<op::Conv>(node.operation) ||
                             std::holds_alternative<op::Linear>(node.operation);
        const bool norm = std::holds_alternative<op::BatchNorm>(node.operation) &&
                          config.chip.batch_norm == BatchNormMode::analog;
        const bool identity =
            config.chip.identity == IdentityMode::analog && residual_identity(network.graph, node) >= 0;
        if (weights || norm || identity) names.push_back(node.name);
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
        const LayerConfig layer = layer_config(config, node.name);
        if (layer.digital || (!only_layer.empty() && node.name != only_layer)) return choice;
        choice.level = crossbar ? Level::crossbar : Level::parameter;
        if (crossbar) {
            choice.mapping = mapping_options(layer.config);
            if (layer.config.crossbar.scale == WeightScale::network) choice.mapping.network_scale = scale;
        } else {
            choice.parameter = parameter_model(layer.config.parameter);
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
        for (const std::string& name : point.layers) {
            const LayerConfig layer = layer_config(point.config, name);
            if (layer.config.chip.level == ChipLevel::crossbar && !layer.digital)
                check_grid(mapping_options(layer.config), name);
        }
    lower_digital(networks.begin()->second);
}

}  // namespace mho
