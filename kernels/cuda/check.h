// kernels/cuda/check.h - what the CUDA runtime answers is looked at, always.
#pragma once

#include <cuda_runtime.h>

#include "kernels/base/error.h"

namespace mho::cuda {

/// Throws DeviceError that names the GPU, `what`, CUDA's reason and what to do; RunError where memory ran
/// out.
void check(cudaError_t error, const char* what);

/// MHO_SYNC_CHECKS=1: waits after every launch, so that a failure is told where it happened.
bool sync_checks();

}  // namespace mho::cuda
