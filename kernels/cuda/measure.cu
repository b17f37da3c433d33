// What is counted: scores of images, extremes and histograms of activations. Whole numbers, added atomically,
// so that no order matters.
#include <cmath>

#include "kernels/base/float_bits.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/operations.h"
#include "kernels/steps/loss.h"

namespace mho::cuda {
namespace {

__global__ void score_kernel(const float* logits, const int32_t* labels, const int64_t* images, int64_t count,
                             int64_t classes, DeviceScore* sum) {
    for (int64_t i = first_element(); i < count; i += element_stride()) {
        const float* row = logits + i * classes;
        const int32_t label = labels[images[i]];
        const int64_t rank = rank_of(row, classes, label);
        if (rank < 1) atomicAdd(&sum->top1, 1ull);
        if (rank < 5) atomicAdd(&sum->top5, 1ull);
        // Two's complement: a negative loss wraps around to the right sum.
        atomicAdd(&sum->loss, static_cast<unsigned long long>(fixed_loss(row, classes, label)));
    }
}

__global__ void extremes_kernel(const float* x, int64_t count, DeviceExtremes* extremes) {
    int32_t lowest = 0x7fffffff, highest = -0x7fffffff - 1;
    bool any = false, not_finite = false;
    for (int64_t i = first_element(); i < count; i += element_stride()) {
        const int32_t v = ordered_bits(x[i]);
        lowest = v < lowest ? v : lowest;
        highest = v > highest ? v : highest;
        not_finite = not_finite || !(fabsf(x[i]) < HUGE_VALF);
        any = true;
    }
    if (!any) return;
    atomicMin(&extremes->lowest, lowest);
    atomicMax(&extremes->highest, highest);
    if (not_finite) atomicMax(&extremes->not_finite, 1u);
}

__global__ void bins_kernel(const float* x, int64_t count, float bins_a_unit, unsigned long long* counts) {
    for (int64_t i = first_element(); i < count; i += element_stride())
        atomicAdd(&counts[static_cast<int64_t>(fabsf(x[i]) * bins_a_unit)], 1ull);
}

}  // namespace

void score(const float* logits, const int32_t* labels, const int64_t* images, int64_t count, int64_t classes,
           DeviceScore* sum, cudaStream_t stream) {
    launch("score", score_kernel, one_thread_each(count), stream, logits, labels, images, count, classes,
           sum);
}

void find_extremes(const float* x, int64_t count, DeviceExtremes* extremes, cudaStream_t stream) {
    launch("find_extremes", extremes_kernel, one_thread_each(count), stream, x, count, extremes);
}

void count_bins(const float* x, int64_t count, float bins_a_unit, unsigned long long* counts,
                cudaStream_t stream) {
    launch("count_bins", bins_kernel, one_thread_each(count), stream, x, count, bins_a_unit, counts);
}

}  // namespace mho::cuda
