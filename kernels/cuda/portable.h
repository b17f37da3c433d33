// kernels/cuda/portable.h - the few places where nvcc and the tests' executor of CUDA on the CPU
// (tests/cuda_on_cpu) need other words for the same thing. Everything else in kernels/cuda compiles as it
// stands.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

/// Before a loop whose arrays must stay in registers.
#if defined(__CUDACC__)
#define MHO_UNROLL _Pragma("unroll")
#else
#define MHO_UNROLL
#endif

namespace mho::cuda {

/// The dynamic shared memory of the block, aligned to 128 bytes.
__device__ __forceinline__ std::byte* shared_memory() {
#if defined(MHO_CUDA_ON_CPU)
    return cuda_on_cpu::shared_memory();
#else
    extern __shared__ __align__(128) std::byte mho_shared[];
    return mho_shared;
#endif
}

}  // namespace mho::cuda
