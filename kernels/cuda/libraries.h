// kernels/cuda/libraries.h - the seam to NVIDIA's libraries: products of digital and parameter-level layers.
// cuDNN and cuBLAS carry them out on a GPU (libraries_cudnn.cc); tests bring a CPU implementation that checks
// what it is given as the real one would (tests/cuda_on_cpu/libraries.cc).
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <memory>
#include <string>

#include "kernels/cuda/operations.h"
#include "kernels/product_shape.h"

namespace mho::cuda {

/// y = x * w for one layer and batch size, without bias. x, y: channels last; w: outputs x taps x inputs of a
/// group. T: float, or uint16_t for bfloat16.
template <class T>
class ProductOf {
  public:
    virtual ~ProductOf() = default;
    virtual size_t workspace_bytes() const = 0;
    /// `workspace`: workspace_bytes(), aligned to 256; may be null where that is 0.
    virtual void run(const T* x, const T* weight, T* y, void* workspace, cudaStream_t stream) = 0;
};
using DeviceProduct = ProductOf<float>;
/// What rounded_to_bf16() takes of the workspace itself: x, w and y in bfloat16.
size_t bf16_bytes(const ProductShape& shape);
/// Rounds x and w to bfloat16 in its workspace, multiplies there, and widens y.
std::unique_ptr<DeviceProduct> rounded_to_bf16(std::unique_ptr<ProductOf<uint16_t>> product,
                                               const ProductShape& shape);

/// What a library may take as workspace, at most.
inline constexpr size_t kMostWorkspaceBytes = size_t{64} << 20;

/// Handles of one host thread.
class Libraries {
  public:
    virtual ~Libraries() = default;
    virtual std::unique_ptr<DeviceProduct> product(const ProductShape& shape) = 0;
};

/// Whether the layer is a matrix product over the channels of every place.
bool is_matrix_product(const ProductShape& shape);
/// Whether a shape is none that cuDNN takes: direct_product.cu does, always in float32.
bool needs_direct_product(const ProductShape& shape);
std::unique_ptr<DeviceProduct> direct_product(const ProductShape& shape);

/// Defined by libraries_cudnn.cc, or by the tests.
std::unique_ptr<Libraries> make_libraries();
std::string library_versions();

/// How DeviceProduct wants the weights of a layer: kept plain, outputs x inputs x taps.
inline WeightOrder weight_order(const ProductShape& shape) {
    const auto& k = shape.window.kernel;
    return {shape.x[4] / shape.groups, k[0] * k[1] * k[2]};
}

}  // namespace mho::cuda
