// A convolution as plain sums, for the shapes that cuDNN does not take: windows over three axes, and padding
// that differs from one end to the other. A thread makes one output.
#include <array>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/libraries.h"

namespace mho::cuda {
namespace {

struct DirectParams {
    Window window;
    int64_t in[3] = {}, out[3] = {};
    int64_t inputs = 0, outputs = 0;              ///< channels
    int64_t group_inputs = 0, group_outputs = 0;  ///< of one group
    int64_t count = 0;
};

__device__ float window_sum(const DirectParams& p, const float* x, const float* weight, int64_t image,
                            const int64_t position[3], int64_t output) {
    const Window& w = p.window;
    int64_t begin[3];
    for (size_t a = 0; a < 3; ++a) begin[a] = position[a] * w.stride[a] - w.pad_begin[a];
    const float* row = weight + output * w.kernel[0] * w.kernel[1] * w.kernel[2] * p.group_inputs;
    const int64_t first = output / p.group_outputs * p.group_inputs;
    float sum = 0;
    for (int64_t kd = 0; kd < w.kernel[0]; ++kd)
        for (int64_t kh = 0; kh < w.kernel[1]; ++kh)
            for (int64_t kw = 0; kw < w.kernel[2]; ++kw, row += p.group_inputs) {
                const int64_t d = begin[0] + kd * w.dilation[0], h = begin[1] + kh * w.dilation[1],
                              v = begin[2] + kw * w.dilation[2];
                if (d < 0 || d >= p.in[0] || h < 0 || h >= p.in[1] || v < 0 || v >= p.in[2]) continue;
                const float* from =
                    x + (((image * p.in[0] + d) * p.in[1] + h) * p.in[2] + v) * p.inputs + first;
                for (int64_t c = 0; c < p.group_inputs; ++c) sum = fmaf(from[c], row[c], sum);
            }
    return sum;
}

__global__ void direct_product_kernel(DirectParams p, const float* x, const float* weight, float* y) {
    for (int64_t i = first_element(); i < p.count; i += element_stride()) {
        const int64_t output = i % p.outputs;
        int64_t at = i / p.outputs, position[3];
        for (int a = 2; a >= 0; --a) {
            position[a] = at % p.out[a];
            at /= p.out[a];
        }
        y[i] = window_sum(p, x, weight, at, position, output);
    }
}

class DirectProduct : public DeviceProduct {
  public:
    explicit DirectProduct(const ProductShape& s) {
        p_.window = s.window;
        for (size_t a = 0; a < 3; ++a) {
            p_.in[a] = s.x[a + 1];
            p_.out[a] = s.y[a + 1];
        }
        p_.inputs = s.x[4];
        p_.outputs = s.y[4];
        p_.group_inputs = s.x[4] / s.groups;
        p_.group_outputs = s.y[4] / s.groups;
        p_.count = s.y[0] * s.y[1] * s.y[2] * s.y[3] * s.y[4];
    }
    size_t workspace_bytes() const override { return 0; }
    void run(const float* x, const float* weight, float* y, void*, cudaStream_t stream) override {
        launch("direct_product", direct_product_kernel, one_thread_each(p_.count), stream, p_, x, weight, y);
    }

  private:
    DirectParams p_;
};

}  // namespace

bool is_matrix_product(const ProductShape& s) {
    const std::array<int64_t, 3> ones{1, 1, 1}, zeros{0, 0, 0};
    return s.groups == 1 && s.window.kernel == ones && s.window.stride == ones &&
           s.window.pad_begin == zeros && s.window.pad_end == zeros;
}

bool needs_direct_product(const ProductShape& shape) {
    return shape.x[1] > 1 || shape.window.kernel[0] > 1 || shape.window.pad_begin != shape.window.pad_end;
}

std::unique_ptr<DeviceProduct> direct_product(const ProductShape& shape) {
    return std::make_unique<DirectProduct>(shape);
}

}  // namespace mho::cuda
