// host/config/write.h - a config as TOML.
#pragma once

#include <string>

#include "host/config/types.h"

namespace mho {

/// As TOML writes it.
std::string to_string(const ConfigValue& value);

/// Every key that does something with its value, defaults too, as TOML: parse_config(to_toml(c)) asks for the
/// same as c.
std::string to_toml(const Config& config);

}  // namespace mho
