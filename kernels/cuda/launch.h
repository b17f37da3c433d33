// kernels/cuda/launch.h - the one way in which the project launches kernels: each has a name and is checked.
#pragma once

#include <type_traits>

#include "kernels/cuda/check.h"
#include "kernels/cuda/shared_layout.h"

namespace mho::cuda {

struct LaunchShape {
    dim3 grid, block;
    SharedLayout shared;
};

#if !defined(MHO_CUDA_ON_CPU)
/// Lets launches of a kernel on this thread's GPU take more than 48 KiB. Always all that a block can have:
/// several threads launch one kernel, and none must lower what another one needs.
inline void allow_all_shared_memory(const void* kernel, const char* name) {
    int device = 0, most = 0;
    check(cudaGetDevice(&device), name);
    check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), name);
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, most), name);
}
#endif

/// Puts a kernel on a stream.
template <class... Params>
void launch(const char* name, void (*kernel)(Params...), const LaunchShape& shape, cudaStream_t stream,
            std::type_identity_t<Params>... params) {
#if defined(MHO_CUDA_ON_CPU)
    cuda_on_cpu::enqueue(stream, [=] {
        cuda_on_cpu::launch(name, shape.grid, shape.block, shape.shared.bytes(), shape.shared.guards(),
                            [&] { kernel(params...); });
    });
#else
    const size_t bytes = shape.shared.bytes();
    if (bytes > 48 * 1024) allow_all_shared_memory(reinterpret_cast<const void*>(kernel), name);
    cudaLaunchConfig_t config{};
    config.gridDim = shape.grid;
    config.blockDim = shape.block;
    config.dynamicSmemBytes = bytes;
    config.stream = stream;
    check(cudaLaunchKernelEx(&config, kernel, params...), name);
#endif
    if (sync_checks()) check(cudaStreamSynchronize(stream), name);
}

/// A launch of one thread an element, in blocks of 256 that walk on where there are very many.
inline LaunchShape one_thread_each(int64_t elements) {
    constexpr int64_t kThreads = 256, kMostBlocks = 65535;
    const int64_t blocks = (elements + kThreads - 1) / kThreads;
    return {static_cast<unsigned>(blocks < 1             ? 1
                                  : blocks > kMostBlocks ? kMostBlocks
                                                         : blocks),
            static_cast<unsigned>(kThreads),
            {}};
}

/// In a kernel launched so: for (auto i = first_element(); i < count; i += element_stride()).
__device__ __forceinline__ int64_t first_element() {
    return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ int64_t element_stride() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

}  // namespace mho::cuda
