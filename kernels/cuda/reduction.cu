// Operations that sum: a thread makes one result, in the order in which kernels/cpu adds.
#include <cmath>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/operations.h"
#include "kernels/elementary.h"

namespace mho::cuda {
namespace {

struct PoolParams {
    bool average = false, count_include_pad = false;
    Window window;
    int64_t ceil_extra[3] = {};
    int64_t in[3] = {}, out[3] = {}, channels = 0;
};

/// Taps of one axis at one place: those inside the input, and how many count in an average with padding.
struct Taps {
    int64_t first_input, begin, end, counted;
};

__device__ Taps taps_of(const PoolParams& p, int axis, int64_t place) {
    const Window& w = p.window;
    const size_t a = static_cast<size_t>(axis);
    const int64_t start = place * w.stride[a] - w.pad_begin[a];
    const int64_t padded_end = p.in[axis] + w.pad_end[a] - p.ceil_extra[axis];
    Taps t{start, w.kernel[a], 0, 0};
    for (int64_t k = 0; k < w.kernel[a]; ++k) {
        const int64_t at = start + k * w.dilation[a];
        if (at >= 0 && at < p.in[axis]) {
            if (k < t.begin) t.begin = k;
            t.end = k + 1;
        }
        t.counted += at < padded_end;
    }
    return t;
}

__device__ int64_t inside(const Taps& t) { return t.end > t.begin ? t.end - t.begin : 0; }

__global__ void pool_kernel(PoolParams p, const float* x, float* y, int64_t count) {
    for (int64_t i = first_element(); i < count; i += element_stride()) {
        const int64_t c = i % p.channels, w = i / p.channels % p.out[2],
                      h = i / p.channels / p.out[2] % p.out[1];
        const int64_t d = i / p.channels / p.out[2] / p.out[1] % p.out[0];
        const int64_t n = i / p.channels / p.out[2] / p.out[1] / p.out[0];
        const Taps td = taps_of(p, 0, d), th = taps_of(p, 1, h), tw = taps_of(p, 2, w);
        float result = p.average ? 0.0f : -HUGE_VALF;
        for (int64_t kd = td.begin; kd < td.end; ++kd)
            for (int64_t kh = th.begin; kh < th.end; ++kh)
                for (int64_t kw = tw.begin; kw < tw.end; ++kw) {
                    const int64_t z = td.first_input + kd * p.window.dilation[0];
                    const int64_t r = th.first_input + kh * p.window.dilation[1];
                    const int64_t q = tw.first_input + kw * p.window.dilation[2];
                    const float v = x[(((n * p.in[0] + z) * p.in[1] + r) * p.in[2] + q) * p.channels + c];
                    if (p.average)
                        result += v;
                    else
                        result = v > result ? v : result;
                }
        if (p.average) {
            const int64_t counted = p.count_include_pad ? td.counted * th.counted * tw.counted
                                                        : inside(td) * inside(th) * inside(tw);
            result *= 1.0f / static_cast<float>(counted);
        }
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
    const float factor = 1.0f / static_cast<float>(inner);
    for (int64_t r = first_element(); r < rows; r += element_stride()) {
        const float* from = x + r * inner;
        float sum = 0, squares = 0;
        for (int64_t i = 0; i < inner; ++i) sum += from[i];
        const float mean = sum * factor;
        for (int64_t i = 0; i < inner; ++i) squares = fmaf(from[i] - mean, from[i] - mean, squares);
        const float inverse = 1.0f / sqrtf(fmaf(squares, factor, epsilon));
        for (int64_t i = 0; i < inner; ++i)
            y[r * inner + i] =
                fmaf((from[i] - mean) * inverse, scale ? scale[i] : 1.0f, shift ? shift[i] : 0.0f);
    }
}

__global__ void softmax_kernel(const float* x, int64_t outer, int64_t axis, int64_t inner, float* y) {
    for (int64_t e = first_element(); e < outer * inner; e += element_stride()) {
        const float* from = x + e / inner * axis * inner + e % inner;
        float* to = y + e / inner * axis * inner + e % inner;
        float largest = from[0], sum = 0;
        for (int64_t k = 1; k < axis; ++k) largest = fmaxf(largest, from[k * inner]);
        for (int64_t k = 0; k < axis; ++k) {
            const float v = exp_of(from[k * inner] - largest);
            to[k * inner] = v;
            sum += v;
        }
        for (int64_t k = 0; k < axis; ++k) to[k * inner] /= sum;
    }
}

}  // namespace

void pool(const step::Pool& pool, const float* x, const Dims& x_dims, float* y, const Dims& y_dims,
          cudaStream_t stream) {
    PoolParams p;
    p.average = pool.kind == PoolKind::average;
    p.count_include_pad = pool.count_include_pad;
    p.window = pool.window;
    p.channels = x_dims[4];
    for (size_t axis = 0; axis < 3; ++axis) {
        p.ceil_extra[axis] = pool.ceil_extra[axis];
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
    Dims strides(x_dims.size(), 1);
    for (size_t i = x_dims.size(); i-- > 1;) strides[i - 1] = strides[i] * x_dims[i];
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

void softmax(const float* x, int64_t outer, int64_t axis, int64_t inner, float* y, cudaStream_t stream) {
    launch("softmax", softmax_kernel, one_thread_each(outer * inner), stream, x, outer, axis, inner, y);
}

}  // namespace mho::cuda
