// host/run/cuda_plugin.h - finds, checks and loads libmho_cuda.so, the CUDA backend.
#pragma once

#include <filesystem>
#include <string>

#include "kernels/cuda_plugin.h"

namespace mho {

/// What came of looking for GPUs.
struct CudaState {
    const CudaPlugin* plugin = nullptr;  ///< null where it cannot be used
    int devices = 0;                     ///< GPUs that can be used
    std::string why_none;                ///< where there are none: a reason and, if there is one, a way out
};

/// Looks once a process: in the file that $MHO_CUDA_PLUGIN names, else beside the program and in ../lib.
/// Never throws and never asks for a driver: what is missing, damaged or of another version is said in
/// why_none.
const CudaState& cuda_state();

/// Why `file` cannot be a whole ELF library, before the loader maps it: a truncated one would end the process
/// with SIGBUS. Empty where it can.
std::string damage_of_library(const std::filesystem::path& file);

}  // namespace mho
