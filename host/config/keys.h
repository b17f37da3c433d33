// host/config/keys.h - the table of every key: what a config is read, checks and writes by. Internal to
// host/config.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "host/config/types.h"

namespace mho {

/// An upper bound where only sense sets one.
inline constexpr double kMany = 1e15;

/// An enum field seen through its config names.
struct ChoiceField {
    std::vector<std::string> names;
    std::function<int()> get;  ///< place of its value among the names
    std::function<void(int)> set;
};

/// Where a key's value lives in one Config. std::optional<double> is a percentile, or "max" where empty.
using Field = std::variant<bool*, int64_t*, double*, std::string*, std::vector<double>*,
                           std::optional<double>*, ChoiceField>;

struct Key {
    std::string name;  ///< "table.key", or "table.kind.key"
    std::function<Field(Config&)> field = {};
    double low = 0, high = 0;  ///< of numbers, inclusive
    bool open_low = false;     ///< low itself is not allowed
    std::string unit = {};     ///< of the value, "" for none
    std::string help = {};     ///< one line
    bool sweepable = false;    ///< may stand in [sweep]
    bool per_layer = false;    ///< may stand in [[layer]]
    /// Of a listed kind: does something only where `kind_key` is `kind`. Empty: not of one kind alone.
    std::string kind_key = {}, kind = {};

    std::string table() const { return name.substr(0, name.rfind('.')); }
    std::string leaf() const { return name.substr(name.rfind('.') + 1); }
};

const std::vector<Key>& config_keys();
/// Null where there is no such key.
const Key* find_key(const std::string& name);
/// Whether keys stand below `name`: a table, or one inside a table.
bool is_table(const std::string& name);

/// What the key takes, in words: "a whole number from 1 to 16", "one of a, b".
std::string allowed_values(const Key& key);

/// The key's unit at a config: what device.sigma is relative to depends on other keys.
std::string unit_of(const Key& key, const Config& config);

/// Gives `value` to the key, checked against its type and range. Returns what is wrong, or "".
std::string assign(const Key& key, Config& config, const ConfigValue& value);

/// The key's value in `config`, as a user would write it.
ConfigValue value_of(const Key& key, const Config& config);

/// The README's table of keys, in Markdown.
std::string config_table_markdown();

}  // namespace mho
