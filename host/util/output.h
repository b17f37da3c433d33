// host/util/output.h - where a command writes: --out directories and the files in them.
#pragma once

#include <filesystem>
#include <string>

namespace mho {

/// Makes `directory` where it is not there. Throws InputError where it cannot be made or holds files already.
void make_empty_directory(const std::filesystem::path& directory);

/// Writes `text` to directory/name, whole or not at all. Throws RunError where it cannot.
void write_file(const std::filesystem::path& directory, const std::string& name, const std::string& text);

}  // namespace mho
