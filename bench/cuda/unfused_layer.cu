#include "bench/cuda/unfused_layer.h"

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <curand.h>
#include <thrust/device_vector.h>
#include <thrust/fill.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/cuda/launch.h"

namespace mho::bench {
namespace {

void check(bool holds, const char* what) {
    if (!holds) throw std::runtime_error(std::string("the unfused baseline failed in ") + what);
}

/// g = clamp(rint(target + sigma n), 0, 32767), as a float: sums of up to 512 of them are exact.
__global__ void program_kernel(const int16_t* target, const float* n, float sigma, int64_t count, float* g) {
    for (int64_t i = cuda::first_element(); i < count; i += cuda::element_stride())
        g[i] = fminf(fmaxf(rintf(fmaf(sigma, n[i], static_cast<float>(target[i]))), 0.0f), 32767.0f);
}

/// Bit `step` of every code, as a float.
__global__ void bit_kernel(const uint8_t* codes, int step, int64_t count, float* bits) {
    for (int64_t i = cuda::first_element(); i < count; i += cuda::element_stride())
        bits[i] = static_cast<float>(codes[i] >> step & 1);
}

__global__ void convert_kernel(const float* sums, PlainConverter c, float weight, int64_t count,
                               float* joined) {
    for (int64_t i = cuda::first_element(); i < count; i += cuda::element_stride())
        joined[i] += weight * fminf(fmaxf(rintf(fmaf(sums[i], c.a, c.b)), 0.0f), c.largest);
}

}  // namespace

struct UnfusedLayer::Device {
    LayerShape shape;
    PlainConverter converter;
    thrust::device_vector<int16_t> target;
    thrust::device_vector<uint8_t> codes;
    thrust::device_vector<float> normal, conductance, bits, sums, joined;
    curandGenerator_t random = nullptr;
    cublasHandle_t blas = nullptr;

    ~Device() {
        if (random) curandDestroyGenerator(random);
        if (blas) cublasDestroy(blas);
    }

    void program(float sigma, uint64_t seed) {
        const int64_t count = static_cast<int64_t>(target.size());
        check(curandSetPseudoRandomGeneratorSeed(random, seed) == CURAND_STATUS_SUCCESS, "seeding cuRAND");
        check(curandSetGeneratorOffset(random, 0) == CURAND_STATUS_SUCCESS, "seeding cuRAND");
        check(curandGenerateNormal(random, normal.data().get(), normal.size(), 0.0f, 1.0f) ==
                  CURAND_STATUS_SUCCESS,
              "drawing normals");
        cuda::launch("program_kernel", program_kernel, cuda::one_thread_each(count), cudaStream_t{},
                     target.data().get(), normal.data().get(), sigma, count, conductance.data().get());
    }

    /// sums = bits of rows [begin, end) times one array: row by row is column by column of the transpose.
    void multiply(int64_t array, int64_t begin, int64_t end) {
        const float one = 1, zero = 0;
        const float* g = conductance.data().get() + (array * shape.rows + begin) * shape.columns;
        check(cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, static_cast<int>(shape.columns),
                          static_cast<int>(shape.vectors), static_cast<int>(end - begin), &one, g,
                          static_cast<int>(shape.columns), bits.data().get() + begin,
                          static_cast<int>(shape.rows), &zero, sums.data().get(),
                          static_cast<int>(shape.columns)) == CUBLAS_STATUS_SUCCESS,
              "a matrix product");
    }

    void read_step(int step) {
        const int64_t inputs = static_cast<int64_t>(bits.size()), outputs = static_cast<int64_t>(sums.size());
        cuda::launch("bit_kernel", bit_kernel, cuda::one_thread_each(inputs), cudaStream_t{},
                     codes.data().get(), step, inputs, bits.data().get());
        for (int64_t begin = 0; begin < shape.rows; begin += shape.tile_rows)
            for (int slice = 0; slice < shape.slices; ++slice)
                for (int polarity = 0; polarity < shape.polarities; ++polarity) {
                    multiply(int64_t{slice} * shape.polarities + polarity, begin,
                             std::min(begin + shape.tile_rows, shape.rows));
                    const float weight = (polarity == 0 ? 1.0f : -1.0f) *
                                         static_cast<float>(1 << (step + slice * shape.cell_bits));
                    cuda::launch("convert_kernel", convert_kernel, cuda::one_thread_each(outputs),
                                 cudaStream_t{}, sums.data().get(), converter, weight, outputs,
                                 joined.data().get());
                }
    }
};

UnfusedLayer::UnfusedLayer(const LayerShape& shape, const std::vector<int16_t>& target,
                           const std::vector<uint8_t>& codes, const PlainConverter& converter)
    : device_(std::make_unique<Device>()) {
    Device& d = *device_;
    d.shape = shape;
    d.converter = converter;
    d.target = target;
    d.codes = codes;
    d.normal.resize((target.size() + 1) / 2 * 2);  // cuRAND draws pairs
    d.conductance.resize(target.size());
    d.bits.resize(codes.size());
    d.sums.resize(static_cast<size_t>(shape.vectors * shape.columns));
    d.joined.resize(d.sums.size());
    check(curandCreateGenerator(&d.random, CURAND_RNG_PSEUDO_PHILOX4_32_10) == CURAND_STATUS_SUCCESS,
          "starting cuRAND");
    check(cublasCreate(&d.blas) == CUBLAS_STATUS_SUCCESS, "starting cuBLAS");
    check(cublasSetMathMode(d.blas, CUBLAS_PEDANTIC_MATH) == CUBLAS_STATUS_SUCCESS, "asking for float32");
}

UnfusedLayer::~UnfusedLayer() = default;

void UnfusedLayer::run(float sigma, uint64_t seed) {
    Device& d = *device_;
    thrust::fill(d.joined.begin(), d.joined.end(), 0.0f);
    d.program(sigma, seed);
    for (int step = 0; step < d.shape.steps; ++step) d.read_step(step);
    check(cudaDeviceSynchronize() == cudaSuccess, "waiting");
}

std::vector<float> UnfusedLayer::joined() const {
    std::vector<float> all(device_->joined.size());
    thrust::copy(device_->joined.begin(), device_->joined.end(), all.begin());
    return all;
}

}  // namespace mho::bench
