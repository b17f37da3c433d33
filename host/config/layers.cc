#include "host/config/layers.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/config/keys.h"
#include "host/config/rules.h"
#include "models/names.h"

namespace mho {
namespace {

bool matches(const char* glob, const char* text) {
    for (; *glob; ++glob, ++text) {
        if (*glob == '*') {
            while (*glob == '*') ++glob;
            for (; *text; ++text)
                if (matches(glob, text)) return true;
            return *glob == 0;
        }
        if (!*text || (*glob != '?' && *glob != *text)) return false;
    }
    return !*text;
}

using LayerNames = std::vector<std::string>;

bool is_matched(const LayerOverride& layer, const LayerNames& names) {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return matches(layer.match.c_str(), name.c_str()); });
}

}  // namespace

LayerConfig layer_config(const Config& config, const LayerNames& layer) {
    LayerConfig result{config, false};
    for (const LayerOverride& changed : config.layers) {
        if (!is_matched(changed, layer)) continue;
        result.digital = result.digital || changed.digital;
        for (const auto& [key, value] : changed.keys) assign(*find_key(key), result.config, value);
    }
    return result;
}

namespace {

/// What [[layer]] does to the layers of a network, over all points.
class LayerChecks {
  public:
    LayerChecks(const Config& config, const std::vector<PointLayers>& points)
        : config_(config), points_(points) {}

    void check() const {
        for (const LayerOverride& layer : config_.layers) {
            check_match(layer);
            if (!layer.digital) check_change(layer);
        }
        for (const SweepAxis& axis : config_.sweep)
            if (find_key(axis.key)->per_layer) check_reach(axis);
        for (const PointLayers& point : points_)
            for (const LayerNames& names : point.layers) check_meaning(point.config, names);
    }

  private:
    template <class Condition>
    bool any_layer(const Condition& holds) const {
        for (const PointLayers& point : points_)
            for (const LayerNames& names : point.layers)
                if (holds(names)) return true;
        return false;
    }
    bool is_digital(const LayerNames& name) const {
        return std::any_of(config_.layers.begin(), config_.layers.end(),
                           [&](const LayerOverride& l) { return l.digital && is_matched(l, name); });
    }

    void check_match(const LayerOverride& layer) const {
        if (any_layer([&](const LayerNames& name) { return is_matched(layer, name); })) return;
        std::vector<std::string> names;
        for (const PointLayers& point : points_)
            for (const LayerNames& layer_names : point.layers)
                if (std::find(names.begin(), names.end(), layer_names[0]) == names.end())
                    names.push_back(layer_names[0]);
        refuse(layer.place, fmt::format("match = \"{}\" matches no layer{}; the layers are {} (mho layers "
                                        "MODEL says what else they are called)",
                                        layer.match, did_you_mean(layer.match, names), joined(names)));
    }

    void check_change(const LayerOverride& layer) const {
        if (!any_layer([&](const LayerNames& name) { return is_matched(layer, name) && !is_digital(name); }))
            refuse(layer.place,
                   fmt::format(
                       "match = \"{}\" changes nothing: another [[layer]] keeps all that it matches digital",
                       layer.match));
    }

    /// A swept key must be left to some layer.
    void check_reach(const SweepAxis& axis) const {
        const auto sets_key = [&](const LayerOverride& l) {
            return std::any_of(l.keys.begin(), l.keys.end(),
                               [&](const auto& k) { return k.first == axis.key; });
        };
        const auto is_left = [&](const LayerNames& name) {
            return !is_digital(name) &&
                   std::none_of(config_.layers.begin(), config_.layers.end(),
                                [&](const auto& l) { return sets_key(l) && is_matched(l, name); });
        };
        if (!any_layer(is_left))
            refuse(axis.place,
                   fmt::format("{} is swept, but [[layer]] sets it, or digital, for every layer", axis.key));
    }

    void check_meaning(const Config& point, const LayerNames& name) const {
        const LayerOverride* last = nullptr;
        for (const LayerOverride& layer : config_.layers)
            if (!layer.digital && is_matched(layer, name)) last = &layer;
        if (!last || is_digital(name)) return;  // as the point itself, which is checked
        if (const auto found = contradiction(layer_config(point, name).config))
            refuse(last->place, fmt::format("layer {}: {}", name[0], found->text));
    }

    const Config& config_;
    const std::vector<PointLayers>& points_;
};

}  // namespace

void check_layers(const Config& config, const std::vector<PointLayers>& points) {
    LayerChecks(config, points).check();
}

}  // namespace mho
