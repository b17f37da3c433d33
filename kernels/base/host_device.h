// kernels/base/host_device.h - one spelling for functions that the CPU and the GPU compile from the same
// text.
#pragma once

#if defined(__CUDACC__)
#define MHO_HD __host__ __device__
#else
#define MHO_HD
#endif

/// A formula of a few operations: always inlined, so that loops over it vectorise for whatever CPU they are
/// built for.
#if defined(__CUDACC__)
#define MHO_FORMULA __host__ __device__ __forceinline__
#else
#define MHO_FORMULA inline __attribute__((always_inline))
#endif
