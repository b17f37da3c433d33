// host/util/npy.h - NumPy's .npy files: arrays in and out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "models/graph.h"

namespace mho {

/// Reads an array of float32, float64 or any integer type, as float32, row-major. Throws InputError that
/// names the file and what is wrong with it.
Tensor read_npy(const std::filesystem::path& file);

/// The same from bytes in memory; `name` is for messages.
Tensor parse_npy(const std::string& bytes, const std::string& name);

/// Writes an array, C order, little-endian. Throws RunError where it cannot.
void write_npy(const std::filesystem::path& file, const Tensor& array);
void write_npy(const std::filesystem::path& file, const std::vector<int64_t>& dims,
               const std::vector<int16_t>& values);
void write_npy(const std::filesystem::path& file, const std::vector<int64_t>& dims,
               const std::vector<int32_t>& values);
void write_npy(const std::filesystem::path& file, const std::vector<int64_t>& dims,
               const std::vector<int64_t>& values);

}  // namespace mho
