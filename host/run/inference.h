// host/run/inference.h - the digital forward pass of an imported network on arrays: `mho infer`, and how a
// user checks that mho reads a network right.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "kernels/backend.h"
#include "models/graph.h"

namespace mho {

/// Reads `file` so that it takes `inputs`: as it stands where their shapes are the file's own, else with axis
/// 0 of every input as the batch. Throws InputError that names the input and both shapes where neither fits.
Graph read_network_for(const std::filesystem::path& file, const std::vector<Tensor>& inputs);

/// Outputs of `graph` for `inputs` (in the graph's order, any batch where it has one), `batch` images at a
/// time.
std::vector<Tensor> infer(const Backend& backend, const Graph& graph, const std::vector<Tensor>& inputs,
                          int64_t batch = 32);

}  // namespace mho
