// NVIDIA's libraries on the CPU: a convolution in plain loops that first checks what it is given, as cuDNN
// would.
#include "kernels/cuda/libraries.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace mho::cuda {
namespace {

constexpr size_t kWorkspace = 1000,
                 kAlignment = 16;  // any size will do to see that it is asked for and given

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "libraries on cpu: %s\n", what);
    std::abort();
}

/// The output extent that a window leaves of an input extent.
int64_t output_extent(const Window& w, size_t axis, int64_t in) {
    return (in + w.pad_begin[axis] + w.pad_end[axis] - (w.kernel[axis] - 1) * w.dilation[axis] - 1) /
               w.stride[axis] +
           1;
}

/// `x` with so many bits after the point of its binary scientific notation, nearest, ties to even.
float rounded(float x, int bits) {
    if (x == 0 || !std::isfinite(x)) return x;
    const int exponent = std::ilogb(x) - bits;
    return static_cast<float>(std::ldexp(std::nearbyint(std::ldexp(double{x}, -exponent)), exponent));
}

/// As a factor, and as a result. In float32, TF32 has 10 bits and bfloat16 7; uint16_t is the upper half of a
/// float.
float factor(float x, Precision p) {
    return p == Precision::f32 ? x : rounded(x, p == Precision::tf32 ? 10 : 7);
}
float factor(uint16_t x, Precision) {
    const uint32_t bits = uint32_t{x} << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
void store(float sum, float* y) { *y = sum; }
void store(float sum, uint16_t* y) {
    const float value = rounded(sum, 7);
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    *y = static_cast<uint16_t>(bits >> 16);
}

template <class T>
class PlainProduct : public ProductOf<T> {
  public:
    explicit PlainProduct(const ProductShape& shape) : s_(shape) {
        require(s_.x.size() == 5 && s_.y.size() == 5, "images have five axes");
        require(s_.x[0] == s_.y[0] && s_.x[0] > 0, "input and output hold as many images, one or more");
        require(s_.groups > 0 && s_.x[4] % s_.groups == 0 && s_.y[4] % s_.groups == 0,
                "groups divide the channels");
        for (size_t axis = 0; axis < 3; ++axis) {
            require(s_.window.stride[axis] > 0 && s_.window.dilation[axis] > 0,
                    "strides and dilations are positive");
            require(output_extent(s_.window, axis, s_.x[axis + 1]) == s_.y[axis + 1],
                    "the window leaves the output");
        }
    }
    size_t workspace_bytes() const override { return kWorkspace; }

    void run(const T* x, const T* weight, T* y, void* workspace, cudaStream_t stream) override {
        for (const void* p :
             {static_cast<const void*>(x), static_cast<const void*>(weight), static_cast<const void*>(y)})
            require(p && reinterpret_cast<uintptr_t>(p) % kAlignment == 0, "arrays are there and aligned");
        require(workspace && reinterpret_cast<uintptr_t>(workspace) % 256 == 0,
                "the workspace is there and aligned");
        cuda_on_cpu::enqueue(stream, [shape = s_, x, weight, y, workspace] {
            std::memset(workspace, 0xff, kWorkspace);
            multiply(shape, x, weight, y);
        });
    }

  private:
    static void multiply(const ProductShape& s, const T* x, const T* weight, T* y) {
        const int64_t group_inputs = s.x[4] / s.groups, group_outputs = s.y[4] / s.groups;
        for (int64_t n = 0; n < s.y[0]; ++n)
            for (int64_t d = 0; d < s.y[1]; ++d)
                for (int64_t h = 0; h < s.y[2]; ++h)
                    for (int64_t w = 0; w < s.y[3]; ++w)
                        for (int64_t o = 0; o < s.y[4]; ++o)
                            store(window_sum(s, x, weight, n, {d, h, w}, o, o / group_outputs * group_inputs),
                                  y++);
    }

    static float window_sum(const ProductShape& s, const T* x, const T* weight, int64_t n,
                            std::array<int64_t, 3> position, int64_t output, int64_t first_input) {
        const Window& w = s.window;
        const int64_t inputs = s.x[4] / s.groups;
        float sum = 0;
        for (int64_t kd = 0; kd < w.kernel[0]; ++kd)
            for (int64_t kh = 0; kh < w.kernel[1]; ++kh)
                for (int64_t kw = 0; kw < w.kernel[2]; ++kw) {
                    const int64_t z = position[0] * w.stride[0] - w.pad_begin[0] + kd * w.dilation[0];
                    const int64_t r = position[1] * w.stride[1] - w.pad_begin[1] + kh * w.dilation[1];
                    const int64_t q = position[2] * w.stride[2] - w.pad_begin[2] + kw * w.dilation[2];
                    if (z < 0 || z >= s.x[1] || r < 0 || r >= s.x[2] || q < 0 || q >= s.x[3]) continue;
                    const T* from = x + (((n * s.x[1] + z) * s.x[2] + r) * s.x[3] + q) * s.x[4] + first_input;
                    const int64_t tap = (kd * w.kernel[1] + kh) * w.kernel[2] + kw;
                    const int64_t taps = w.kernel[0] * w.kernel[1] * w.kernel[2];
                    const T* row = weight + (output * taps + tap) * inputs;
                    for (int64_t c = 0; c < inputs; ++c)
                        sum += factor(from[c], s.precision) * factor(row[c], s.precision);
                }
        return sum;
    }

    ProductShape s_;
};

class PlainLibraries : public Libraries {
  public:
    std::unique_ptr<DeviceProduct> product(const ProductShape& shape) override {
        if (needs_direct_product(shape)) return direct_product(shape);
        if (shape.precision == Precision::bf16 && !is_matrix_product(shape))
            return rounded_to_bf16(std::make_unique<PlainProduct<uint16_t>>(shape), shape);
        return std::make_unique<PlainProduct<float>>(shape);
    }
};

}  // namespace

std::unique_ptr<Libraries> make_libraries() { return std::make_unique<PlainLibraries>(); }
std::string library_versions() { return "plain loops in place of cuDNN"; }

}  // namespace mho::cuda
