// Elementwise operations: a thread takes one element at a time.
#include <cmath>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/operations.h"
#include "kernels/steps/quantise.h"

namespace mho::cuda {
namespace {

__global__ void activate_kernel(Activation f, const float* x, float* y, int64_t count) {
    for (int64_t i = first_element(); i < count; i += element_stride()) y[i] = activated_by(f, x[i]);
}

__global__ void affine_kernel(const float* x, float* y, int64_t count, int64_t channels, int64_t inner,
                              const float* scale, const float* shift, Epilogue epilogue) {
    for (int64_t i = first_element(); i < count; i += element_stride()) {
        const int64_t c = i / inner % channels;
        y[i] = epilogue.of(fmaf(x[i], scale ? scale[c] : 1.0f, shift ? shift[c] : 0.0f));
    }
}

__global__ void binary_kernel(BinaryKind kind, Axes a_axes, const float* a, Axes b_axes, const float* b,
                              float* y, int64_t count, Epilogue epilogue) {
    for (int64_t i = first_element(); i < count; i += element_stride()) {
        const float left = a[place_in(a_axes, i)], right = b[place_in(b_axes, i)];
        y[i] = epilogue.of(combined(kind, left, right));
    }
}

__global__ void quantise_kernel(Quantiser q, const float* x, float* y, int64_t count) {
    for (int64_t i = first_element(); i < count; i += element_stride()) y[i] = q.of(x[i]);
}

template <class Code>
__global__ void encode_kernel(const float* x, int64_t count, CodePlan plan, float x_lsb_inverse,
                              Code* codes) {
    for (int64_t i = first_element(); i < count; i += element_stride())
        codes[i] = static_cast<Code>(input_code(x[i], x_lsb_inverse, plan.low, plan.high) + plan.offset);
}

__global__ void finish_product_kernel(float* y, int64_t count, int64_t channels, const float* bias,
                                      Epilogue epilogue) {
    for (int64_t i = first_element(); i < count; i += element_stride())
        y[i] = epilogue.of(bias ? y[i] + bias[i % channels] : y[i]);
}

/// y_dims walked in an operand: it stands still along axes that it repeats.
Axes broadcast(const Dims& dims, const Dims& to) {
    Axes axes;
    axes.rank = static_cast<int>(to.size());
    int64_t stride = 1;
    for (int i = axes.rank; i-- > 0;) {
        const size_t axis = static_cast<size_t>(i);
        axes.extent[i] = to[axis];
        axes.stride[i] = dims[axis] == 1 ? 0 : stride;
        stride *= dims[axis];
    }
    return axes;
}

}  // namespace

void activate(const Activation& f, const float* x, float* y, int64_t count, cudaStream_t stream) {
    launch("activate", activate_kernel, one_thread_each(count), stream, f, x, y, count);
}

void affine(const float* x, float* y, const AxisSplit& d, const float* scale, const float* shift,
            const Epilogue& epilogue, cudaStream_t stream) {
    const int64_t count = d.outer * d.extent * d.inner;
    launch("affine", affine_kernel, one_thread_each(count), stream, x, y, count, d.extent, d.inner, scale,
           shift, epilogue);
}

void binary(BinaryKind kind, const float* a, const Dims& a_dims, const float* b, const Dims& b_dims, float* y,
            const Dims& y_dims, const Epilogue& epilogue, cudaStream_t stream) {
    const Axes a_axes = broadcast(a_dims, y_dims), b_axes = broadcast(b_dims, y_dims);
    const int64_t count = a_axes.count();
    launch("binary", binary_kernel, one_thread_each(count), stream, kind, a_axes, a, b_axes, b, y, count,
           epilogue);
}

void quantise(int levels, float high, const float* x, float* y, int64_t count, cudaStream_t stream) {
    launch("quantise", quantise_kernel, one_thread_each(count), stream, Quantiser(levels, high), x, y, count);
}

void encode(const float* x, int64_t count, const CodePlan& plan, float x_lsb_inverse, bool wide, void* codes,
            cudaStream_t stream) {
    if (wide)
        launch("encode", encode_kernel<uint16_t>, one_thread_each(count), stream, x, count, plan,
               x_lsb_inverse, static_cast<uint16_t*>(codes));
    else
        launch("encode", encode_kernel<uint8_t>, one_thread_each(count), stream, x, count, plan,
               x_lsb_inverse, static_cast<uint8_t*>(codes));
}

void finish_product(float* y, int64_t rows, int64_t channels, const float* bias, const Epilogue& epilogue,
                    cudaStream_t stream) {
    if (!bias && !epilogue.activates) return;
    const int64_t count = rows * channels;
    launch("finish_product", finish_product_kernel, one_thread_each(count), stream, y, count, channels, bias,
           epilogue);
}

}  // namespace mho::cuda
