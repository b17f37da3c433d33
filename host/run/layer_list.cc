#include "host/run/layer_list.h"

#include <functional>
#include <map>
#include <numeric>

#include "host/chip/point_plan.h"
#include "kernels/crossbar/levels.h"

namespace mho {

std::vector<ListedLayer> list_layers(const Graph& graph, const Config& config) {
    Config on_arrays = config;
    on_arrays.chip.level = ChipLevel::crossbar;
    on_arrays.chip.identity = IdentityMode::digital;  // what belongs to the other level
    on_arrays.chip.relu_levels = 0;
    if (on_arrays.chip.batch_norm == BatchNormMode::analog)
        on_arrays.chip.batch_norm = BatchNormMode::digital;
    const NumberedGraph network = prepare_network(graph, on_arrays);
    const Plan plan = lower(network, lowering_options(on_arrays, network));
    std::map<std::string, const CrossbarLayer*> mapped;
    for (const Step& step : plan.steps)
        if (const auto* crossbar = std::get_if<step::Crossbar>(&step.operation))
            mapped[step.name] = &plan.crossbars[static_cast<size_t>(crossbar->crossbar)];

    std::vector<ListedLayer> layers;
    for (const Node* node : weight_layers(network.graph)) {
        const auto* conv = std::get_if<op::Conv>(&node->operation);
        const Tensor& weight = conv ? conv->weight : std::get<op::Linear>(node->operation).weight;
        ListedLayer layer{node->names(), operation_name(node->operation), weight.dims};
        const int64_t of_one_output =
            std::accumulate(weight.dims.begin() + 1, weight.dims.end(), int64_t{1}, std::multiplies<>());
        layer.multiply_adds =
            network.graph.values[static_cast<size_t>(node->output)].shape.size() * of_one_output;
        if (const auto found = mapped.find(node->name); found != mapped.end()) {
            layer.arrays = found->second->arrays();
            layer.cells = cells_on_arrays(*found->second);
        }
        layers.push_back(std::move(layer));
    }
    return layers;
}

}  // namespace mho
