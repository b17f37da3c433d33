#include "kernels/cpu/patches.h"

#include "kernels/cpu/simd.h"

namespace mho::cpu {
namespace {

MHO_SIMD_CLONES void encode_all(const float* x, int64_t count, const CodePlan& plan, float x_lsb_inverse,
                                int32_t* codes) {
    for (int64_t i = 0; i < count; ++i) codes[i] = input_code(x[i], x_lsb_inverse, plan.low, plan.high);
}

}  // namespace

Patches::Patches(const step::Crossbar& step, int64_t groups, const std::vector<int64_t>& x_dims,
                 const std::vector<int64_t>& y_dims)
    : window_(step.window), channels_(x_dims.back()), group_channels_(x_dims.back() / groups), vectors_(1) {
    for (size_t axis = 0; axis + 1 < y_dims.size(); ++axis) vectors_ *= y_dims[axis];
    int64_t size = 1;
    for (int64_t extent : x_dims) size *= extent;
    codes_.resize(static_cast<size_t>(size));
    if (step.is_linear) return;  // every row of the matrix is an image of one position
    for (size_t axis = 0; axis < 3; ++axis) {
        in_[axis] = x_dims[axis + 1];
        out_[axis] = y_dims[axis + 1];
    }
}

void Patches::encode(const float* x, const CodePlan& plan, float x_lsb_inverse) {
    encode_all(x, static_cast<int64_t>(codes_.size()), plan, x_lsb_inverse, codes_.data());
}

void Patches::gather(int64_t group, int64_t vector, int32_t* codes) const {
    const int64_t w = vector % out_[2], h = vector / out_[2] % out_[1],
                  d = vector / (out_[2] * out_[1]) % out_[0];
    const int64_t image = vector / (out_[2] * out_[1] * out_[0]);
    const std::array<int64_t, 3> position{d, h, w};
    std::array<int64_t, 3> begin{};
    for (size_t axis = 0; axis < 3; ++axis)
        begin[axis] = position[axis] * window_.stride[axis] - window_.pad_begin[axis];
    const int64_t taps = window_.kernel[0] * window_.kernel[1] * window_.kernel[2];
    int64_t tap = 0;
    for (int64_t kd = 0; kd < window_.kernel[0]; ++kd)
        for (int64_t kh = 0; kh < window_.kernel[1]; ++kh)
            for (int64_t kw = 0; kw < window_.kernel[2]; ++kw, ++tap) {
                const int64_t z = begin[0] + kd * window_.dilation[0],
                              y = begin[1] + kh * window_.dilation[1],
                              x = begin[2] + kw * window_.dilation[2];
                const bool inside = z >= 0 && z < in_[0] && y >= 0 && y < in_[1] && x >= 0 && x < in_[2];
                if (!inside) {
                    for (int64_t c = 0; c < group_channels_; ++c) codes[c * taps + tap] = 0;
                    continue;
                }
                const int64_t pixel = ((image * in_[0] + z) * in_[1] + y) * in_[2] + x;
                const int32_t* from = codes_.data() + pixel * channels_ + group * group_channels_;
                for (int64_t c = 0; c < group_channels_; ++c) codes[c * taps + tap] = from[c];
            }
}

}  // namespace mho::cpu
