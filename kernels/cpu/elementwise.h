// kernels/cpu/elementwise.h - operations on every element, in place of or beside their input. Arrays are
// row-major.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/steps/activations.h"
#include "kernels/steps/axes.h"
#include "kernels/steps/binary.h"

namespace mho::cpu {

/// y[i] = f(x[i]); y may be x.
void activate(const Activation& f, const float* x, float* y, int64_t count);

/// y = fmaf(x, scale[c], shift[c]), one of each an index of the split axis; scale or shift may be null (1 and
/// 0). With `relu`, max(., 0) in the same pass.
void affine(const float* x, float* y, const AxisSplit& d, const float* scale, const float* shift, bool relu);

/// y = a kind b with NumPy broadcasting; all dims have y's rank, extents are y's or 1.
void binary(BinaryKind kind, const float* a, const std::vector<int64_t>& a_dims, const float* b,
            const std::vector<int64_t>& b_dims, float* y, const std::vector<int64_t>& y_dims);

/// y[i] = Quantiser(levels, high).of(x[i]).
void quantise(int levels, float high, const float* x, float* y, int64_t count);

}  // namespace mho::cpu
