// kernels/cuda/shared_layout.h - how a kernel divides its dynamic shared memory. Laid out once on the host;
// kernels get the offsets with their parameters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cuda/portable.h"

namespace mho::cuda {

class SharedLayout {
  public:
    /// Offset of a new part of `count` elements of T. Between parts lies, on the CPU alone, a guard that the
    /// executor watches.
    template <class T>
    uint32_t add(int64_t count) {
        return static_cast<uint32_t>(place(static_cast<size_t>(count) * sizeof(T)));
    }
    size_t bytes() const { return bytes_; }

#if defined(MHO_CUDA_ON_CPU)
    const std::vector<cuda_on_cpu::Guard>& guards() const { return guards_; }
#endif

  private:
    static constexpr size_t kAlignment = 16;

    size_t place(size_t size) {
        const size_t at = bytes_;
        bytes_ = (at + size + kAlignment - 1) / kAlignment * kAlignment;
#if defined(MHO_CUDA_ON_CPU)
        bytes_ += kAlignment;
        guards_.push_back({at + size, bytes_ - at - size});
#endif
        return at;
    }

    size_t bytes_ = 0;
#if defined(MHO_CUDA_ON_CPU)
    std::vector<cuda_on_cpu::Guard> guards_;
#endif
};

/// A part of shared memory, at its offset.
template <class T>
__device__ __forceinline__ T* shared_part(uint32_t offset) {
    return reinterpret_cast<T*>(shared_memory() + offset);
}

}  // namespace mho::cuda
