#include "host/config/read.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <toml++/toml.h>
#include <algorithm>
#include <fstream>
#include <sstream>

#include "host/config/keys.h"
#include "host/config/points.h"
#include "host/config/rules.h"
#include "host/config/write.h"
#include "kernels/base/error.h"
#include "models/names.h"

namespace mho {
namespace {

std::vector<std::string> key_names() {
    std::vector<std::string> names;
    for (const Key& key : config_keys()) names.push_back(key.name);
    return names;
}

std::vector<std::string> table_names() {
    std::vector<std::string> names;
    for (const Key& key : config_keys()) {
        const std::string table = key.name.substr(0, key.name.find('.'));
        if (names.empty() || names.back() != table) names.push_back(table);
    }
    names.insert(names.end(), {"layer", "sweep"});
    return names;
}

const Key& known_key(const std::string& name, const std::string& place) {
    if (const Key* key = find_key(name)) return *key;
    refuse(place, fmt::format("unknown key {}{}", name, did_you_mean(name, key_names())));
}

void assign_at(const Key& key, Config& config, const ConfigValue& value, const std::string& place) {
    if (const std::string wrong = assign(key, config, value); !wrong.empty())
        refuse(place, fmt::format("{} {}", key.name, wrong));
}

constexpr int kMostPoints = 10000;

/// One config in the making: knows the file's name for messages.
class Reader {
  public:
    Reader(std::string name, Config& config) : name_(std::move(name)), config_(config) {}

    void read(const toml::table& root) {
        for (auto&& [k, node] : root) {
            const std::string table(k.str());
            if (table == "sweep")
                read_sweep(node);
            else if (table == "layer")
                read_layers(node);
            else
                read_table(table, node);
        }
    }

    /// --set key=value; the value is TOML, or a bare word.
    void set(const std::string& text) {
        const size_t equals = text.find('=');
        const std::string place = "--set " + text;
        if (equals == std::string::npos) refuse(place, "is not of the form key=value");
        const std::string name = text.substr(0, equals), value = text.substr(equals + 1);
        const Key& key = known_key(name, place);
        std::optional<ConfigValue> parsed;
        try {
            const toml::table root = toml::parse("v = " + value);
            if (root.size() == 1) parsed = convert(*root.get("v"), place);
        } catch (const toml::parse_error&) {
            // A bare word such as bi-scale is a string.
        }
        assign_at(key, config_, parsed ? *parsed : ConfigValue{value}, place);
        config_.given[name] = "--set";
        std::erase_if(config_.sweep, [&](const SweepAxis& axis) { return axis.key == name; });
    }

  private:
    std::string place(const toml::node& node) const {
        return fmt::format("{}:{}:{}", name_, node.source().begin.line, node.source().begin.column);
    }

    const toml::table& as_table(const std::string& table, const toml::node& node) const {
        if (const toml::table* t = node.as_table()) return *t;
        refuse(place(node), fmt::format("{} must be a table: [{}]", table, table));
    }

    static ConfigValue convert(const toml::node& node, const std::string& place) {
        if (const auto* b = node.as_boolean()) return b->get();
        if (const auto* i = node.as_integer()) return i->get();
        if (const auto* d = node.as_floating_point()) return d->get();
        if (const auto* s = node.as_string()) return s->get();
        if (const auto* a = node.as_array()) {
            std::vector<double> list;
            for (const toml::node& element : *a) {
                const std::optional<double> number = element.value<double>();
                if (!number || !element.is_number()) refuse(place, "an array here holds numbers only");
                list.push_back(*number);
            }
            return list;
        }
        refuse(place, "takes a string, a number, a boolean or an array of numbers");
    }

    void read_table(const std::string& table, const toml::node& node) {
        const std::vector<std::string> tables = table_names();
        if (std::find(tables.begin(), tables.end(), table) == tables.end())
            refuse(place(node), fmt::format("unknown table [{}]{}; there are {}", table,
                                            did_you_mean(table, tables), joined(tables)));
        read_keys(table, as_table(table, node));
    }

    /// Keys of a table, and of the tables inside it.
    void read_keys(const std::string& table, const toml::table& keys) {
        for (auto&& [k, value] : keys) {
            const std::string name = table + "." + std::string(k.str());
            if (const toml::table* nested = value.as_table(); nested && is_table(name)) {
                read_keys(name, *nested);
                continue;
            }
            assign_at(known_key(name, place(value)), config_, convert(value, place(value)), place(value));
            config_.given[name] = place(value);
        }
    }

    void read_sweep(const toml::node& node) {
        for (auto&& [k, value] : as_table("sweep", node)) {
            const std::string name(k.str());
            if (name == "zip") {
                const auto* flag = value.as_boolean();
                if (!flag) refuse(place(value), "zip takes true or false");
                config_.zip = flag->get();
                continue;
            }
            const Key& key = known_key(name, place(value));
            if (!key.sweepable) refuse(place(value), fmt::format("{} cannot be swept", name));
            const toml::array* values = value.as_array();
            if (!values || values->empty())
                refuse(place(value), fmt::format("{} = [...]: a sweep takes an array of values", name));
            SweepAxis axis{name, {}, place(value)};
            for (const toml::node& element : *values) {
                Config scratch;
                axis.values.push_back(convert(element, place(element)));
                assign_at(key, scratch, axis.values.back(), place(element));
            }
            axes_.emplace_back(value.source().begin.line, std::move(axis));
        }
        // toml++ sorts keys: the order in the file is the user's.
        std::stable_sort(axes_.begin(), axes_.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        for (auto& [line, axis] : axes_) config_.sweep.push_back(std::move(axis));
        config_.zip ? check_zip(place(node)) : check_product(place(node));
    }

    void check_zip(const std::string& at) const {
        if (config_.sweep.size() < 2) refuse(at, "zip = true pairs keys: it needs at least two");
        for (const SweepAxis& axis : config_.sweep)
            if (axis.values.size() != config_.sweep[0].values.size())
                refuse(at, "zip = true needs arrays of one length");
    }

    void check_product(const std::string& at) const {
        double points = 1;
        for (const SweepAxis& axis : config_.sweep) {
            points *= static_cast<double>(axis.values.size());
            for (auto v = axis.values.begin(); v != axis.values.end(); ++v)
                if (std::find(axis.values.begin(), v, *v) != v)
                    refuse(axis.place, fmt::format("{} has {} twice", axis.key, to_string(*v)));
        }
        if (points > kMostPoints)
            refuse(at, fmt::format("asks for {:.0f} points; at most {} fit a run", points, kMostPoints));
    }

    void read_layers(const toml::node& node) {
        const toml::array* layers = node.as_array();
        if (!layers) refuse(place(node), "layers are given as [[layer]]");
        for (const toml::node& element : *layers) read_layer(as_table("layer", element));
    }

    void read_layer(const toml::table& table) {
        LayerOverride layer;
        layer.place = place(table);
        flatten(table, "", layer);
        if (layer.match.empty()) refuse(layer.place, "[[layer]] needs match = \"a layer's name or a glob\"");
        if (!layer.digital && layer.keys.empty())
            refuse(layer.place, "[[layer]] changes nothing: give digital = true or a key");
        if (layer.digital && !layer.keys.empty())
            refuse(layer.place, "[[layer]] with digital = true takes no other key");
        config_.layers.push_back(std::move(layer));
    }

    /// Keys may stand as device.sigma = .1 (nested tables in TOML) or as "device.sigma" = .1.
    void flatten(const toml::table& table, const std::string& prefix, LayerOverride& layer) {
        for (auto&& [k, value] : table) {
            const std::string name = prefix + std::string(k.str());
            if (name == "match") {
                const auto* text = value.as_string();
                if (!text) refuse(place(value), "match takes a string");
                layer.match = text->get();
            } else if (name == "digital") {
                const auto* flag = value.as_boolean();
                if (!flag) refuse(place(value), "digital takes true or false");
                layer.digital = flag->get();
            } else if (const toml::table* nested = value.as_table();
                       nested && (prefix.empty() || is_table(name))) {
                flatten(*nested, name + ".", layer);
            } else {
                const Key& key = known_key(name, place(value));
                if (!key.per_layer)
                    refuse(place(value), fmt::format("{} cannot differ from layer to layer", name));
                Config scratch;
                layer.keys.emplace_back(name, convert(value, place(value)));
                assign_at(key, scratch, layer.keys.back().second, place(value));
            }
        }
    }

    std::string name_;
    Config& config_;
    std::vector<std::pair<toml::source_index, SweepAxis>> axes_;
};

/// Where the user wrote one of `keys`; the file where nowhere.
std::string place_of(const Config& config, const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
        if (const auto found = config.given.find(key); found != config.given.end()) return found->second;
        for (const SweepAxis& axis : config.sweep)
            if (axis.key == key) return axis.place;
    }
    return config.source;
}

/// Every key that the user wrote does something, somewhere.
void check_effects(const Config& config) {
    const Effects effects(config);
    const auto check = [](const std::string& key, const std::string& place,
                          const std::optional<Need>& unmet) {
        if (unmet) refuse(place, fmt::format("{} does nothing unless {}", key, unmet->words));
    };
    for (const auto& [key, place] : config.given) {
        if (is_swept(config, key)) refuse(place, fmt::format("{} is swept: leave it to [sweep]", key));
        check(key, place, effects.unmet(key));
    }
    for (const SweepAxis& axis : config.sweep) check(axis.key, axis.place, effects.unmet(axis.key, true));
    for (size_t i = 0; i < config.layers.size(); ++i)
        for (const auto& [key, value] : config.layers[i].keys)
            check(key, config.layers[i].place, effects.unmet_in_layer(key, i));
}

void check_points(const Config& config) {
    for (const SweepPoint& point : sweep_points(config))
        if (const auto found = contradiction(point.config))
            refuse(place_of(config, found->keys), found->text);
}

}  // namespace

Config parse_config(const std::string& text, const std::string& name, const std::vector<std::string>& set) {
    Config config;
    config.source = name;
    Reader reader(name, config);
    try {
        reader.read(toml::parse(text, name));
    } catch (const toml::parse_error& error) {
        refuse(fmt::format("{}:{}:{}", name, error.source().begin.line, error.source().begin.column),
               std::string(error.description()));
    }
    for (const std::string& assignment : set) reader.set(assignment);
    if (config.model.file.empty())
        refuse(name, "model.file is missing: [model] file = \"network.onnx\" or a zoo name");
    check_effects(config);
    check_points(config);
    return config;
}

/// Files are named from where the user is: the resolved config must mean the same from everywhere.
static void make_absolute(std::string& path) {
    if (!path.empty() && std::filesystem::exists(path)) path = std::filesystem::absolute(path).string();
}

Config read_config(const std::filesystem::path& file, const std::vector<std::string>& set) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    if (!stream || !(text << stream.rdbuf()))
        throw InputError(fmt::format("{}: cannot be read; is it there, and a TOML file?", file.string()));
    Config config = parse_config(text.str(), file.string(), set);
    make_absolute(config.model.file);
    make_absolute(config.data.directory);
    return config;
}

}  // namespace mho
