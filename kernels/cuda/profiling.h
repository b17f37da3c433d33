// kernels/cuda/profiling.h - named ranges that profilers show (NVTX): nothing happens where none listens.
#pragma once

#include <cuda_runtime.h>

#if !defined(MHO_CUDA_ON_CPU)
#include <nvtx3/nvToolsExt.h>
#endif

namespace mho::cuda {

/// A range from here to the end of the scope, on the calling thread.
class Range {
  public:
#if defined(MHO_CUDA_ON_CPU)
    explicit Range(const char*) {}
    ~Range() {}
#else
    explicit Range(const char* name) { nvtxRangePushA(name); }
    ~Range() { nvtxRangePop(); }
#endif
    Range(const Range&) = delete;
    Range& operator=(const Range&) = delete;
};

}  // namespace mho::cuda
