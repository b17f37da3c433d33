// Operations that sum: a thread makes one result, in the order in which kernels/cpu adds.
#include <cmath>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/operations.h"
#include "kernels/steps/pool_taps.h"
#include "kernels/steps/row_formulas.h"

namespace mho::cuda {
namespace {

struct PoolParams {
    step::Pool pool;
    int64_t in[3] = {}, out[3] = {}, channels = 0;
};

__global__ void pool_kernel(PoolParams p, const float* x, float* y, int64_t count) {
    const Window& window = p.pool.window;
    const bool average = p.pool.kind == PoolKind::average;
    for (int64_t i = first_element(); i < count; i += element_stride()) {
        const int64_t c = i % p.channels, position = i / p.channels;
        const PoolTaps w = pool_taps(p.pool, 2, position % p.out[2], p.in[2]);
        const PoolTaps h = pool_taps(p.pool, 1, position / p.out[2] % p.out[1], p.in[1]);
        const PoolTaps d = pool_taps(p.pool, 0, position / p.out[2] / p.out[1] % p.out[0], p.in[0]);
        const int64_t n = position / p.out[2] / p.out[1] / p.out[0];
        float result = average ? 0.0f : -HUGE_VALF;
        for (int64_t kd = d.begin; kd < d.end; ++kd)
            for (int64_t kh = h.begin; kh < h.end; ++kh)
                for (int64_t kw = w.begin; kw < w.end; ++kw) {
                    const int64_t id = d.first_input + kd * window.dilation[0];
                    const int64_t ih = h.first_input + kh * window.dilation[1];
                    const int64_t iw = w.first_input + kw * window.dilation[2];
                    const float v = x[(((n * p.in[0] + id) * p.in[1] + ih) * p.in[2] + iw) * p.channels + c];
                    if (average)
                        result += v;
                    else
                        result = v > result ? v : result;
                }
        if (average) result *= 1.0f / static_cast<float>(pool_count(p.pool, d, h, w));
        y[i] = result;
    }
}

/// Kept axes of x, then its reduced ones, each in order.
struct ReduceParams {
    Axes kept, reduced;
    int64_t kept_count = 1, reduced_count = 1;
    float factor = 1;
};

__global__ void reduce_mean_kernel(ReduceParams p, const float* x, float* y) {
    for (int64_t i = first_element(); i < p.kept_count; i += element_stride()) {
        const float* from = x + place_in(p.kept, i);
        float sum = 0;
        for (int64_t r = 0; r < p.reduced_count; ++r) sum += from[place_in(p.reduced, r)];
        y[i] = sum * p.factor;
    }
}

__global__ void layer_norm_kernel(float epsilon, const float* x, int64_t rows, int64_t inner,
                                  const float* scale, const float* shift, float* y) {
    for (int64_t r = first_element(); r < rows; r += element_stride())
        layer_norm_row(epsilon, x + r * inner, inner, scale, shift, y + r * inner);
}

__global__ void softmax_kernel(const float* x, AxisSplit d, float* y) {
    for (int64_t e = first_element(); e < d.outer * d.inner; e += element_stride()) {
        const int64_t first = e / d.inner * d.extent * d.inner + e % d.inner;
        softmax_row(x + first, d.extent, d.inner, y + first);
    }
}

}  // namespace

void pool(const step::Pool& pool, const float* x, const Dims& x_dims, float* y, const Dims& y_dims,
          cudaStream_t stream) {
    PoolParams p;
    p.pool = pool;
    p.channels = x_dims[4];
    for (size_t axis = 0; axis < 3; ++axis) {
        p.in[axis] = x_dims[axis + 1];
        p.out[axis] = y_dims[axis + 1];
    }
    const int64_t count = y_dims[0] * y_dims[1] * y_dims[2] * y_dims[3] * p.channels;
    launch("pool", pool_kernel, one_thread_each(count), stream, p, x, y, count);
}

void reduce_mean(const step::ReduceMean& mean, const float* x, const Dims& x_dims, float* y,
                 cudaStream_t stream) {
    ReduceParams p;
    std::vector<bool> reduced(x_dims.size(), false);
    for (int axis : mean.axes) reduced[static_cast<size_t>(axis)] = true;
    const Dims strides = row_major_strides(x_dims);
    for (size_t i = 0; i < x_dims.size(); ++i) {
        Axes& axes = reduced[i] ? p.reduced : p.kept;
        axes.extent[axes.rank] = x_dims[i];
        axes.stride[axes.rank++] = strides[i];
    }
    p.kept_count = p.kept.count();
    p.reduced_count = p.reduced.count();
    p.factor = 1.0f / static_cast<float>(p.reduced_count);
    launch("reduce_mean", reduce_mean_kernel, one_thread_each(p.kept_count), stream, p, x, y);
}

void layer_norm(float epsilon, const float* x, int64_t rows, int64_t inner, const float* scale,
                const float* shift, float* y, cudaStream_t stream) {
    launch("layer_norm", layer_norm_kernel, one_thread_each(rows), stream, epsilon, x, rows, inner, scale,
           shift, y);
}

void softmax(const float* x, const AxisSplit& d, float* y, cudaStream_t stream) {
    launch("softmax", softmax_kernel, one_thread_each(d.outer * d.inner), stream, x, d, y);
}

}  // namespace mho::cuda
