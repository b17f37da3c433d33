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
        if (root.empty())
            refuse(name_, "is empty: a config begins with [model] file = \"network.onnx\" or a zoo name");
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

    /// That the axes, those of --set too, go together.
    void check_sweep() const {
        if (config_.zip) return check_zip(sweep_place_);
        if (!config_.sweep.empty()) check_product(sweep_place_);
    }

    /// --set key=value; the value is TOML, or a bare word. Of a swept key a list is another list, one value
    /// ends the sweep over it.
    void set(const std::string& text) {
        const size_t equals = text.find('=');
        const std::string place = "--set " + text;
        if (equals == std::string::npos) refuse(place, "is not of the form key=value");
        const std::string name = trimmed(text.substr(0, equals)), value = trimmed(text.substr(equals + 1));
        const Key& key = known_key(name, place);
        const toml::table parsed = parsed_value(value);
        const auto axis = std::find_if(config_.sweep.begin(), config_.sweep.end(),
                                       [&](const SweepAxis& a) { return a.key == name; });
        const toml::array* list = parsed.empty() ? nullptr : parsed.get("v")->as_array();
        if (list && axis != config_.sweep.end()) {
            *axis = axis_of(key, *list, [&](const toml::node&) { return place; });
            return;
        }
        assign_at(key, config_, parsed.empty() ? ConfigValue{value} : convert(*parsed.get("v"), place),
                  place);
        config_.given[name] = "--set";
        if (axis == config_.sweep.end()) return;
        config_.sweep.erase(axis);
        if (config_.sweep.size() < 2) config_.zip = false;
    }

  private:
    static std::string trimmed(const std::string& text) {
        constexpr char kBlanks[] = " \t\r\n";
        const size_t begin = text.find_first_not_of(kBlanks), end = text.find_last_not_of(kBlanks);
        return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
    }

    /// A shell's word as the value of v: TOML, or a number as .02. Nothing for a bare word such as bi-scale.
    static toml::table parsed_value(const std::string& text) {
        const size_t sign = text.find_first_not_of("+-");
        const bool no_digit = sign != std::string::npos && sign <= 1 && text[sign] == '.';
        const std::string toml = no_digit ? text.substr(0, sign) + "0" + text.substr(sign) : text;
        try {
            toml::table root = toml::parse("v = " + toml);
            if (root.size() == 1) return root;
        } catch (const toml::parse_error&) {
        }
        return {};
    }

    /// `place_of(node)`: for messages.
    template <class Place>
    static SweepAxis axis_of(const Key& key, const toml::array& values, const Place& place_of) {
        if (values.empty())
            refuse(place_of(values), fmt::format("{} = [...]: a sweep takes an array of values", key.name));
        SweepAxis axis{key.name, {}, place_of(values)};
        for (const toml::node& element : values) {
            Config scratch;
            axis.values.push_back(convert(element, place_of(element)));
            assign_at(key, scratch, axis.values.back(), place_of(element));
        }
        return axis;
    }

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

    /// Keys may stand as "device.sigma" = [...] or as device.sigma = [...] (nested tables in TOML).
    void read_axes(const toml::table& table, const std::string& prefix) {
        for (auto&& [k, value] : table) {
            const std::string name = prefix + std::string(k.str());
            if (const toml::table* nested = value.as_table(); nested && (prefix.empty() || is_table(name)))
                read_axes(*nested, name + ".");
            else if (name == "zip")
                read_zip(value);
            else
                read_axis(name, value);
        }
    }

    void read_zip(const toml::node& value) {
        const auto* flag = value.as_boolean();
        if (!flag) refuse(place(value), "zip takes true or false");
        config_.zip = flag->get();
    }

    void read_axis(const std::string& name, const toml::node& value) {
        const Key& key = known_key(name, place(value));
        if (!key.sweepable) refuse(place(value), fmt::format("{} cannot be swept", name));
        for (const auto& [line, axis] : axes_)
            if (axis.key == name) refuse(place(value), fmt::format("{} is swept twice", name));
        const toml::array* values = value.as_array();
        if (!values) refuse(place(value), fmt::format("{} = [...]: a sweep takes an array of values", name));
        axes_.emplace_back(value.source().begin.line,
                           axis_of(key, *values, [this](const toml::node& n) { return place(n); }));
    }

    void read_sweep(const toml::node& node) {
        read_axes(as_table("sweep", node), "");
        // toml++ sorts keys: the order in the file is the user's.
        std::stable_sort(axes_.begin(), axes_.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        for (auto& [line, axis] : axes_) config_.sweep.push_back(std::move(axis));
        sweep_place_ = place(node);
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
            if (name == "name") {
                refuse(place(value), "[[layer]] takes match = \"a layer's name or a glob\", not name");
            } else if (name == "match") {
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
    std::string sweep_place_;
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

/// Points that only keys without an effect told apart.
void drop_equal_rows(std::vector<SweepAxis>& zipped) {
    if (zipped.empty()) return;
    std::vector<std::vector<ConfigValue>> rows;
    for (size_t i = 0; i < zipped[0].values.size(); ++i) {
        std::vector<ConfigValue> row;
        for (const SweepAxis& axis : zipped) row.push_back(axis.values[i]);
        if (std::find(rows.begin(), rows.end(), row) == rows.end()) rows.push_back(std::move(row));
    }
    for (size_t a = 0; a < zipped.size(); ++a) {
        zipped[a].values.clear();
        for (const std::vector<ConfigValue>& row : rows) zipped[a].values.push_back(row[a]);
    }
}

/// Notes what changes nothing, anywhere: a config may be tried at both levels, or without an effect. Points
/// that would be alike are not run.
void note_idle_keys(Config& config) {
    const Effects effects(config);
    const auto note = [&](const std::string& key, const std::string& place, const std::optional<Need>& unmet,
                          const char* more = "") {
        if (unmet)
            config.notices.push_back(
                fmt::format("{}: {} does nothing unless {}{}", place, key, unmet->words, more));
    };
    for (const auto& [key, place] : config.given) {
        if (is_swept(config, key)) refuse(place, fmt::format("{} is swept: leave it to [sweep]", key));
        note(key, place, effects.unmet(key));
    }
    for (size_t i = 0; i < config.layers.size(); ++i)
        for (const auto& [key, value] : config.layers[i].keys)
            note(key, config.layers[i].place, effects.unmet_in_layer(key, i));
    const size_t dropped = std::erase_if(config.sweep, [&](const SweepAxis& axis) {
        const std::optional<Need> unmet = effects.unmet(axis.key, true);
        note(axis.key, axis.place, unmet, ": it is not swept");
        return unmet.has_value();
    });
    if (config.zip && dropped > 0) drop_equal_rows(config.sweep);
    if (config.sweep.size() < 2) config.zip = false;
    if (!effects.draw_anything() && config.monte_carlo.chips > 1)
        config.notices.push_back(fmt::format(
            "{}: nothing is random at any point, so all chips are alike: monte_carlo.chips = 1 is enough",
            config.source));
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
    reader.check_sweep();
    if (config.model.file.empty())
        refuse(name, "model.file is missing: [model] file = \"network.onnx\" or a zoo name");
    note_idle_keys(config);
    check_points(config);
    return config;
}

namespace {

/// What a config names lies beside it, what a command line names where the user is: the resolved config must
/// mean the same from everywhere. What is not there may be a name of the zoo.
void resolve(std::string& path, const std::string& key, bool may_be_name, const Config& config,
             const std::filesystem::path& folder) {
    if (path.empty()) return;
    const auto given = config.given.find(key);
    const bool beside = given != config.given.end() && given->second != "--set";
    const std::filesystem::path there =
        std::filesystem::absolute(beside ? folder / path : std::filesystem::path(path));
    std::error_code error;
    const bool is_file = !may_be_name || path.find('/') != std::string::npos || path.ends_with(".onnx");
    if (is_file || std::filesystem::exists(there, error)) path = there.string();
}

}  // namespace

Config read_config(const std::filesystem::path& file, const std::vector<std::string>& set) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    if (!stream || !(text << stream.rdbuf()))
        throw InputError(fmt::format("{}: cannot be read; is it there, and a TOML file?", file.string()));
    Config config = parse_config(text.str(), file.string(), set);
    resolve(config.model.file, "model.file", true, config, file.parent_path());
    resolve(config.data.directory, "data.directory", false, config, file.parent_path());
    return config;
}

}  // namespace mho
