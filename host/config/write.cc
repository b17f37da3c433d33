#include "host/config/write.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "host/config/keys.h"
#include "host/config/rules.h"

namespace mho {

std::string to_string(const ConfigValue& value) {
    struct Writer {
        std::string operator()(bool b) const { return b ? "true" : "false"; }
        std::string operator()(int64_t i) const { return fmt::format("{}", i); }
        std::string operator()(double d) const {
            const std::string s = fmt::format("{}", d);
            return s.find_first_of(".en") == std::string::npos ? s + ".0" : s;
        }
        std::string operator()(const std::string& s) const {
            std::string quoted = "\"";
            for (char c : s) {
                if (c == '"' || c == '\\') quoted += '\\';
                if (static_cast<unsigned char>(c) < 0x20)
                    quoted += fmt::format("\\u{:04x}", static_cast<int>(c));
                else
                    quoted += c;
            }
            return quoted + '"';
        }
        std::string operator()(const std::vector<double>& list) const {
            std::vector<std::string> items;
            for (double d : list) items.push_back((*this)(d));
            return fmt::format("[{}]", fmt::join(items, ", "));
        }
    };
    return std::visit(Writer{}, value);
}

std::string to_toml(const Config& config) {
    const Effects effects(config);
    std::string text, table;
    for (const Key& key : config_keys()) {
        if (is_swept(config, key.name) || effects.unmet(key.name)) continue;
        if (key.table() != table) {
            table = key.table();
            text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", table);
        }
        text += fmt::format("{} = {}\n", key.leaf(), to_string(value_of(key, config)));
    }
    for (const LayerOverride& layer : config.layers) {
        text += fmt::format("\n[[layer]]\nmatch = {}\n", to_string(ConfigValue{layer.match}));
        if (layer.digital) text += "digital = true\n";
        for (const auto& [key, value] : layer.keys) text += fmt::format("{} = {}\n", key, to_string(value));
    }
    if (!config.sweep.empty()) {
        text += "\n[sweep]\n";
        for (const SweepAxis& axis : config.sweep) {
            std::vector<std::string> values;
            for (const ConfigValue& value : axis.values) values.push_back(to_string(value));
            text += fmt::format("\"{}\" = [{}]\n", axis.key, fmt::join(values, ", "));
        }
        if (config.zip) text += "zip = true\n";
    }
    return text;
}

}  // namespace mho
