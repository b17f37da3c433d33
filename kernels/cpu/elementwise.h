// kernels/cpu/elementwise.h - operations on every element, in place of or beside their input. Arrays are
// row-major.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/ops.h"

namespace mho::cpu {

/// y[i] = f(x[i]); y may be x.
void activate(const Activation& f, const float* x, float* y, int64_t count);

/// y = fmaf(x, scale[c], shift[c]) over outer x channels x inner; scale or shift may be null (1 and 0). With
/// `relu`, max(., 0) in the same pass.
void affine(const float* x, float* y, int64_t outer, int64_t channels, int64_t inner, const float* scale,
            const float* shift, bool relu);

/// y = a kind b with NumPy broadcasting; all dims have y's rank, extents are y's or 1.
void binary(BinaryKind kind, const float* a, const std::vector<int64_t>& a_dims, const float* b,
            const std::vector<int64_t>& b_dims, float* y, const std::vector<int64_t>& y_dims);

/// y = high / (levels - 1) rint(clamp(x, 0, high) ((levels - 1) / high)); zero where high is 0.
void quantise(int levels, float high, const float* x, float* y, int64_t count);

}  // namespace mho::cpu
