// Operations that move elements: a thread writes one element of the result at a time.
#include "kernels/cuda/launch.h"
#include "kernels/cuda/operations.h"
#include "kernels/steps/pad_source.h"

namespace mho::cuda {
namespace {

__global__ void copy_strided_kernel(Axes axes, const float* x, int64_t offset, float* y, int64_t count) {
    for (int64_t i = first_element(); i < count; i += element_stride()) y[i] = x[offset + place_in(axes, i)];
}

__global__ void gather_kernel(const float* x, int64_t extent, int64_t inner, const int64_t* indices,
                              int64_t picked, float* y, int64_t count) {
    for (int64_t i = first_element(); i < count; i += element_stride()) {
        const int64_t outer = i / inner / picked;
        y[i] = x[(outer * extent + indices[i / inner % picked]) * inner + i % inner];
    }
}

__global__ void concat_kernel(const float* part, int64_t run, float* y, int64_t y_run, int64_t begin,
                              int64_t count) {
    for (int64_t i = first_element(); i < count; i += element_stride())
        y[i / run * y_run + begin + i % run] = part[i];
}

struct PadAxes {
    int rank = 0;
    int64_t begin[kMaxRank] = {}, x_extent[kMaxRank] = {}, x_stride[kMaxRank] = {}, y_extent[kMaxRank] = {};
    PadMode mode = PadMode::constant;
    float value = 0;
};

__global__ void pad_kernel(PadAxes p, const float* x, float* y, int64_t count) {
    for (int64_t i = first_element(); i < count; i += element_stride()) {
        int64_t from = 0, rest = i;
        for (int axis = p.rank; axis-- > 0 && from >= 0;) {
            const int64_t source =
                pad_source(p.mode, rest % p.y_extent[axis] - p.begin[axis], p.x_extent[axis]);
            from = source < 0 ? -1 : from + source * p.x_stride[axis];
            rest /= p.y_extent[axis];
        }
        y[i] = from < 0 ? p.value : x[from];
    }
}

}  // namespace

void copy_strided(const Axes& axes, const float* x, int64_t offset, float* y, cudaStream_t stream) {
    const int64_t count = axes.count();
    launch("copy_strided", copy_strided_kernel, one_thread_each(count), stream, axes, x, offset, y, count);
}

void gather(const float* x, const AxisSplit& d, const int64_t* indices, int64_t picked, float* y,
            cudaStream_t stream) {
    const int64_t count = d.outer * picked * d.inner;
    launch("gather", gather_kernel, one_thread_each(count), stream, x, d.extent, d.inner, indices, picked, y,
           count);
}

void concat_part(const float* part, int64_t outer, int64_t run, float* y, int64_t y_run, int64_t begin,
                 cudaStream_t stream) {
    const int64_t count = outer * run;
    launch("concat_part", concat_kernel, one_thread_each(count), stream, part, run, y, y_run, begin, count);
}

void pad(const step::Pad& pad, const float* x, const Dims& x_dims, float* y, const Dims& y_dims,
         cudaStream_t stream) {
    PadAxes p;
    p.rank = static_cast<int>(y_dims.size());
    p.mode = pad.mode;
    p.value = pad.value;
    int64_t stride = 1, count = 1;
    for (int i = p.rank; i-- > 0;) {
        const size_t axis = static_cast<size_t>(i);
        p.begin[i] = pad.begin[axis];
        p.x_extent[i] = x_dims[axis];
        p.y_extent[i] = y_dims[axis];
        p.x_stride[i] = stride;
        stride *= x_dims[axis];
        count *= y_dims[axis];
    }
    launch("pad", pad_kernel, one_thread_each(count), stream, p, x, y, count);
}

}  // namespace mho::cuda
