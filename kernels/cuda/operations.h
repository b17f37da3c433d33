// kernels/cuda/operations.h - everything that a plan does between arrays, as launches on a stream. Formulas
// are those of kernels/*.h and, operation by operation, the order of float operations is that of kernels/cpu:
// the bits are the same. Pointers are to device memory.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <vector>

#include "kernels/crossbar/input_code.h"
#include "kernels/cuda/activate.h"
#include "kernels/cuda/portable.h"
#include "kernels/plan.h"
#include "kernels/steps/axes.h"
#include "kernels/steps/ops.h"
#include "kernels/steps/perturbation.h"

namespace mho::cuda {

inline constexpr int kMaxRank = 8;

/// Extents and strides of up to kMaxRank axes, plain.
struct Axes {
    int rank = 0;
    int64_t extent[kMaxRank] = {};
    int64_t stride[kMaxRank] = {};

    int64_t count() const {
        int64_t n = 1;
        for (int i = 0; i < rank; ++i) n *= extent[i];
        return n;
    }
};

/// Where element i, counted row by row over axes.extent, lies by axes.stride.
__device__ inline int64_t place_in(const Axes& axes, int64_t i) {
    int64_t at = 0;
    for (int axis = axes.rank; axis-- > 0;) {
        at += i % axes.extent[axis] * axes.stride[axis];
        i /= axes.extent[axis];
    }
    return at;
}

using Dims = std::vector<int64_t>;

// elementwise.cu
void activate(const Activation& f, const float* x, float* y, int64_t count, cudaStream_t stream);
/// y = fmaf(x, scale, shift), one of each an index of the split axis; scale and shift may be null (1 and 0).
/// This one, binary() and finish_product() end with the epilogue.
void affine(const float* x, float* y, const AxisSplit& d, const float* scale, const float* shift,
            const Epilogue& epilogue, cudaStream_t stream);
void binary(BinaryKind kind, const float* a, const Dims& a_dims, const float* b, const Dims& b_dims, float* y,
            const Dims& y_dims, const Epilogue& epilogue, cudaStream_t stream);
void quantise(int levels, float high, const float* x, float* y, int64_t count, cudaStream_t stream);
/// Input codes as crossbar_mvm_adc stores them: bytes, or 16 bits where `wide`; shifted or signed.
void encode(const float* x, int64_t count, const CodePlan& plan, float x_lsb_inverse, bool wide, void* codes,
            cudaStream_t stream);
/// Of a product: adds the bias, which may be null.
void finish_product(float* y, int64_t rows, int64_t channels, const float* bias, const Epilogue& epilogue,
                    cudaStream_t stream);

// movement.cu
/// y, row-major over axes.extent, from x read at `offset` with axes.stride.
void copy_strided(const Axes& axes, const float* x, int64_t offset, float* y, cudaStream_t stream);
void gather(const float* x, const AxisSplit& d, const int64_t* indices, int64_t count, float* y,
            cudaStream_t stream);
void concat_part(const float* part, int64_t outer, int64_t run, float* y, int64_t y_run, int64_t begin,
                 cudaStream_t stream);
void pad(const step::Pad& pad, const float* x, const Dims& x_dims, float* y, const Dims& y_dims,
         cudaStream_t stream);

// reduction.cu
void pool(const step::Pool& pool, const float* x, const Dims& x_dims, float* y, const Dims& y_dims,
          cudaStream_t stream);
void reduce_mean(const step::ReduceMean& mean, const float* x, const Dims& x_dims, float* y,
                 cudaStream_t stream);
void layer_norm(float epsilon, const float* x, int64_t rows, int64_t inner, const float* scale,
                const float* shift, float* y, cudaStream_t stream);
void softmax(const float* x, const AxisSplit& d, float* y, cudaStream_t stream);

// measure.cu
struct DeviceScore {
    unsigned long long top1, top5;
    unsigned long long loss;  // in units of 2^-20, two's complement
};
/// Adds the score of `count` rows of `classes` logits, row i that of image images[i] of those labelled.
void score(const float* logits, const int32_t* labels, const int64_t* images, int64_t count, int64_t classes,
           DeviceScore* sum, cudaStream_t stream);
/// Of x: extremes as ordered integers (see ordered_bits of kernels/base/float_bits.h), and whether any is not
/// finite.
struct DeviceExtremes {
    int32_t lowest, highest;
    uint32_t not_finite;
};
void find_extremes(const float* x, int64_t count, DeviceExtremes* extremes, cudaStream_t stream);
/// counts[bin] of |x| times `bins_a_unit`.
void count_bins(const float* x, int64_t count, float bins_a_unit, unsigned long long* counts,
                cudaStream_t stream);

// perturb_weights.cu
/// Where element i of a weight, outputs x inputs x taps, is put: as it stands, or outputs x taps x inputs.
struct WeightOrder {
    int64_t inputs = 1, taps = 1;
};
/// perturbed[order(i)] = value[i] + R (sigma n + mu), or value[i] alone where `perturbation` is null.
void perturb_weights(const Perturbation* perturbation, uint64_t seed, uint32_t chip, const float* value,
                     int64_t count, const WeightOrder& order, float* perturbed, cudaStream_t stream);

}  // namespace mho::cuda
