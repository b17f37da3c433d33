// Products of bfloat16 numbers for layers that are kept in float32.
#include "kernels/bf16.h"
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

int64_t count_of(const std::vector<int64_t>& dims) {
    int64_t count = 1;
    for (int64_t d : dims) count *= d;
    return count;
}

class Bf16Product : public DeviceProduct {
  public:
    Bf16Product(std::unique_ptr<ProductOf<uint16_t>> product, const ProductShape& s)
        : product_(std::move(product)), x_(count_of(s.x)), y_(count_of(s.y)) {
        const auto& k = s.window.kernel;
        weights_ = s.y[4] * k[0] * k[1] * k[2] * (s.x[4] / s.groups);
    }
    size_t workspace_bytes() const override {
        return bytes(x_) + bytes(weights_) + bytes(y_) + product_->workspace_bytes();
    }

    void run(const float* x, const float* weight, float* y, void* workspace, cudaStream_t stream) override {
        auto* next = static_cast<std::byte*>(workspace);
        const auto take = [&next](int64_t count) {
            auto* part = reinterpret_cast<uint16_t*>(next);
            next += bytes(count);
            return part;
        };
        uint16_t *narrow_x = take(x_), *narrow_weight = take(weights_), *narrow_y = take(y_);
        launch("narrow", narrow_kernel, one_thread_each(x_), stream, x, x_, narrow_x);
        launch("narrow", narrow_kernel, one_thread_each(weights_), stream, weight, weights_, narrow_weight);
        product_->run(narrow_x, narrow_weight, narrow_y, next, stream);
        launch("widen", widen_kernel, one_thread_each(y_), stream, narrow_y, y_, y);
    }

  private:
    /// Rounded up, so that every part is as aligned as the workspace.
    static size_t bytes(int64_t count) { return (static_cast<size_t>(count) * 2 + 255) / 256 * 256; }

    std::unique_ptr<ProductOf<uint16_t>> product_;
    int64_t x_, y_, weights_;
};

}  // namespace

std::unique_ptr<DeviceProduct> rounded_to_bf16(std::unique_ptr<ProductOf<uint16_t>> product,
                                               const ProductShape& shape) {
    return std::make_unique<Bf16Product>(std::move(product), shape);
}

}  // namespace mho::cuda
