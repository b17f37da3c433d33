// kernels/cpu/normalise.h - sums along axes and what divides by them: mean, layer norm, softmax.
// Sums add one term after the other in row-major order of the summed axes, in float32.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/plan.h"
#include "kernels/steps/axes.h"

namespace mho::cpu {

/// y has x's dims without the reduced axes (or with extents of 1 in their place): the same memory.
void reduce_mean(const step::ReduceMean& mean, const float* x, const std::vector<int64_t>& x_dims, float* y);

/// rows x inner; scale and shift have `inner` elements, either may be null. Mean and variance as sums times
/// 1 / inner; y = (x - mean) (1 / sqrt(variance + epsilon)), then fmaf(y, scale, shift).
void layer_norm(float epsilon, const float* x, int64_t rows, int64_t inner, const float* scale,
                const float* shift, float* y);

/// exp(x - max) over its sum along the split axis.
void softmax(const float* x, const AxisSplit& d, float* y);

}  // namespace mho::cpu
