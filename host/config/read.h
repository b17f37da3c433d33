// host/config/read.h - a TOML file and --set key=value, checked once, at the edge.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/config/types.h"

namespace mho {

/// Reads and checks a config. `set`: "key=value" each, which win over the file.
/// Throws InputError with file, line, key, what was found, what is allowed and the nearest known key.
Config read_config(const std::filesystem::path& file, const std::vector<std::string>& set = {});
Config parse_config(const std::string& text, const std::string& name,
                    const std::vector<std::string>& set = {});

}  // namespace mho
