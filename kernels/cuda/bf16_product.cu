// Products of bfloat16 numbers for layers that are kept in float32.
#include "kernels/base/bf16.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/libraries.h"

namespace mho::cuda {
namespace {

__global__ void narrow_kernel(const float* x, int64_t count, uint16_t* y) {
    for (int64_t i = first_element(); i < count; i += element_stride()) y[i] = bf16_of(x[i]);
}

__global__ void widen_kernel(const uint16_t* x, int64_t count, float* y) {
    for (int64_t i = first_element(); i < count; i += element_stride()) y[i] = float_of_bf16(x[i]);
}

/// Numbers of x, of the weights and of y, and the bytes of so many in bfloat16: rounded up, so that every
/// part is as aligned as the workspace.
struct Parts {
    int64_t x, weights, y;

    explicit Parts(const ProductShape& s)
        : x(extent_between(s.x, 0, 5)),
          weights(s.y[4] * s.window.kernel[0] * s.window.kernel[1] * s.window.kernel[2] *
                  (s.x[4] / s.groups)),
          y(extent_between(s.y, 0, 5)) {}
    static size_t bytes(int64_t count) { return (static_cast<size_t>(count) * 2 + 255) / 256 * 256; }
    size_t all_bytes() const { return bytes(x) + bytes(weights) + bytes(y); }
};

class Bf16Product : public DeviceProduct {
  public:
    Bf16Product(std::unique_ptr<ProductOf<uint16_t>> product, const ProductShape& s)
        : product_(std::move(product)), of_(s) {}
    size_t workspace_bytes() const override { return of_.all_bytes() + product_->workspace_bytes(); }

    void run(const float* x, const float* weight, float* y, void* workspace, cudaStream_t stream) override {
        auto* next = static_cast<std::byte*>(workspace);
        const auto take = [&next](int64_t count) {
            auto* part = reinterpret_cast<uint16_t*>(next);
            next += Parts::bytes(count);
            return part;
        };
        uint16_t *narrow_x = take(of_.x), *narrow_weight = take(of_.weights), *narrow_y = take(of_.y);
        launch("narrow", narrow_kernel, one_thread_each(of_.x), stream, x, of_.x, narrow_x);
        launch("narrow", narrow_kernel, one_thread_each(of_.weights), stream, weight, of_.weights,
               narrow_weight);
        product_->run(narrow_x, narrow_weight, narrow_y, next, stream);
        launch("widen", widen_kernel, one_thread_each(of_.y), stream, narrow_y, of_.y, y);
    }

  private:
    std::unique_ptr<ProductOf<uint16_t>> product_;
    Parts of_;
};

}  // namespace

size_t bf16_bytes(const ProductShape& shape) { return Parts(shape).all_bytes(); }

std::unique_ptr<DeviceProduct> rounded_to_bf16(std::unique_ptr<ProductOf<uint16_t>> product,
                                               const ProductShape& shape) {
    return std::make_unique<Bf16Product>(std::move(product), shape);
}

}  // namespace mho::cuda
