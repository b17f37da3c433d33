#include "host/run/run_points.h"

#include "host/chip/point_plan.h"
#include "host/config/points.h"
#include "host/config/write.h"

namespace mho {

std::vector<RunPoint> run_points(const Config& config, const Graph& network, bool per_layer) {
    const std::vector<SweepPoint> sweep = sweep_points(config);
    check_points(config, sweep, network);
    std::vector<RunPoint> points;
    for (const SweepPoint& point : sweep) {
        PointLabel label;
        for (const auto& [key, value] : point.set) label.set.emplace_back(key, to_string(value));
        if (per_layer) label.set.emplace_back("layer", "\"all\"");
        points.push_back({label, point.config, ""});
        if (!per_layer) continue;
        for (const auto& names : analog_layers(point.config, prepare_network(network, point.config))) {
            label.set.back().second = to_string(ConfigValue{names[0]});
            points.push_back({label, point.config, names[0]});
        }
    }
    return points;
}

}  // namespace mho
