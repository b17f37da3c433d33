// kernels/cpu/pooling.h - windows over channels-last images: n, D, H, W, C -> n, D', H', W', C.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/plan.h"

namespace mho::cpu {

/// Dims are whole (images included). An average adds its taps in row-major order of the window, then
/// multiplies by 1 / their number, rounded once.
void pool(const step::Pool& pool, const float* x, const std::vector<int64_t>& x_dims, float* y,
          const std::vector<int64_t>& y_dims);

}  // namespace mho::cpu
