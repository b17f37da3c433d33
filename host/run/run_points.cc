#include "host/run/run_points.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

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
        for (const std::string& name : analog_layers(point.config, prepare_network(network, point.config))) {
            label.set.back().second = to_string(ConfigValue{name});
            points.push_back({label, point.config, name});
        }
    }
    return points;
}

std::string description_of(const PointLabel& label) {
    std::vector<std::string> words;
    for (const auto& [key, value] : label.set) words.push_back(key + " = " + value);
    return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace mho
