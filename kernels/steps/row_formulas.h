// kernels/steps/row_formulas.h - operations that walk one row of values, added in index order on every
// backend.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/base/elementary.h"
#include "kernels/base/host_device.h"

namespace mho {

/// y = (x - mean) / sqrt(variance + epsilon) scale + shift over `count` neighbours; scale and shift may be
/// null (1 and 0). ONNX LayerNormalization.
MHO_HD inline void layer_norm_row(float epsilon, const float* x, int64_t count, const float* scale,
                                  const float* shift, float* y) {
    const float factor = 1.0f / static_cast<float>(count);
    float sum = 0, squares = 0;
    for (int64_t i = 0; i < count; ++i) sum += x[i];
    const float mean = sum * factor;
    for (int64_t i = 0; i < count; ++i) squares = fmaf(x[i] - mean, x[i] - mean, squares);
    const float inverse = 1.0f / sqrtf(fmaf(squares, factor, epsilon));
    for (int64_t i = 0; i < count; ++i)
        y[i] = fmaf((x[i] - mean) * inverse, scale ? scale[i] : 1.0f, shift ? shift[i] : 0.0f);
}

/// y = softmax(x) of `count` values that lie `stride` apart.
MHO_HD inline void softmax_row(const float* x, int64_t count, int64_t stride, float* y) {
    float largest = x[0], sum = 0;
    for (int64_t k = 1; k < count; ++k) largest = fmaxf(largest, x[k * stride]);
    for (int64_t k = 0; k < count; ++k) {
        const float v = exp_of(x[k * stride] - largest);
        y[k * stride] = v;
        sum += v;
    }
    for (int64_t k = 0; k < count; ++k) y[k * stride] /= sum;
}

}  // namespace mho
