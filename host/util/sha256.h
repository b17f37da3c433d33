// host/util/sha256.h - names of contents: configs and networks are told apart by their SHA-256.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace mho {

/// In lower-case hexadecimal.
std::string sha256_hex(std::string_view bytes);

/// Of a file's bytes. Throws InputError where it cannot be read.
std::string sha256_hex_of_file(const std::filesystem::path& file);

}  // namespace mho
