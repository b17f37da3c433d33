#include "kernels/cpu/normalise.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/simd.h"
#include "kernels/elementary.h"

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
    const float factor = 1.0f / static_cast<float>(inner);
    for (int64_t r = 0; r < rows; ++r, x += inner, y += inner) {
        float sum = 0, squares = 0;
        for (int64_t i = 0; i < inner; ++i) sum += x[i];
        const float mean = sum * factor;
        for (int64_t i = 0; i < inner; ++i) squares = fmaf(x[i] - mean, x[i] - mean, squares);
        const float inverse = 1.0f / sqrtf(fmaf(squares, factor, epsilon));
        for (int64_t i = 0; i < inner; ++i)
            y[i] = fmaf((x[i] - mean) * inverse, scale ? scale[i] : 1.0f, shift ? shift[i] : 0.0f);
    }
}

void softmax(const float* x, int64_t outer, int64_t axis, int64_t inner, float* y) {
    for (int64_t o = 0; o < outer; ++o)
        for (int64_t i = 0; i < inner; ++i) {
            const float* from = x + o * axis * inner + i;
            float* to = y + o * axis * inner + i;
            float largest = from[0], sum = 0;
            for (int64_t k = 1; k < axis; ++k) largest = fmaxf(largest, from[k * inner]);
            for (int64_t k = 0; k < axis; ++k) {
                to[k * inner] = exp_of(from[k * inner] - largest);
                sum += to[k * inner];
            }
            for (int64_t k = 0; k < axis; ++k) to[k * inner] /= sum;
        }
}

}  // namespace mho::cpu
