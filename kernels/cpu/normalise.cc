#include "kernels/cpu/normalise.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/simd.h"
#include "kernels/steps/row_formulas.h"

namespace mho::cpu {
namespace {

MHO_SIMD_CLONES void add_rows(float* __restrict y, const float* __restrict x, int64_t rows, int64_t count) {
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t i = 0; i < count; ++i) y[i] += x[r * count + i];
}

/// Adds x (dims from `axis` on) into y: along a reduced axis every slice lands in the same place.
void accumulate(const std::vector<bool>& reduced, const std::vector<int64_t>& dims, size_t axis,
                const float* x, float* y) {
    if (axis == dims.size()) {
        *y += *x;
        return;
    }
    int64_t inner = 1, kept = 1;
    bool any_left = false;
    for (size_t i = axis + 1; i < dims.size(); ++i) {
        inner *= dims[i];
        if (!reduced[i]) kept *= dims[i];
        any_left = any_left || reduced[i];
    }
    if (reduced[axis] && !any_left) return add_rows(y, x, dims[axis], inner);
    for (int64_t i = 0; i < dims[axis]; ++i)
        accumulate(reduced, dims, axis + 1, x + i * inner, reduced[axis] ? y : y + i * kept);
}

}  // namespace

void reduce_mean(const step::ReduceMean& mean, const float* x, const std::vector<int64_t>& dims, float* y) {
    std::vector<bool> reduced(dims.size(), false);
    for (int axis : mean.axes) reduced[static_cast<size_t>(axis)] = true;
    int64_t kept = 1, count = 1;
    for (size_t i = 0; i < dims.size(); ++i) (reduced[i] ? count : kept) *= dims[i];
    std::fill_n(y, kept, 0.0f);
    accumulate(reduced, dims, 0, x, y);
    const float factor = 1.0f / static_cast<float>(count);
    for (int64_t i = 0; i < kept; ++i) y[i] *= factor;
}

void layer_norm(float epsilon, const float* x, int64_t rows, int64_t inner, const float* scale,
                const float* shift, float* y) {
    for (int64_t r = 0; r < rows; ++r)
        layer_norm_row(epsilon, x + r * inner, inner, scale, shift, y + r * inner);
}

void softmax(const float* x, const AxisSplit& d, float* y) {
    for (int64_t o = 0; o < d.outer; ++o)
        for (int64_t i = 0; i < d.inner; ++i) {
            const int64_t first = o * d.extent * d.inner + i;
            softmax_row(x + first, d.extent, d.inner, y + first);
        }
}

}  // namespace mho::cpu
