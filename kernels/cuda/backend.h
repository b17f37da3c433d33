// kernels/cuda/backend.h - makes the CUDA backend, within the plug-in.
#pragma once

#include <memory>

#include "kernels/backend.h"

namespace mho::cuda {

/// Throws RunError where the device cannot be had.
std::unique_ptr<Backend> make_backend(int device);

}  // namespace mho::cuda
