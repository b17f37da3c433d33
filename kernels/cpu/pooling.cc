#include "kernels/cpu/pooling.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/simd.h"

namespace mho::cpu {
namespace {

MHO_SIMD_CLONES void add_to(float* __restrict y, const float* __restrict x, int64_t count) {
    for (int64_t i = 0; i < count; ++i) y[i] += x[i];
}

MHO_SIMD_CLONES void max_to(float* __restrict y, const float* __restrict x, int64_t count) {
    for (int64_t i = 0; i < count; ++i) y[i] = x[i] > y[i] ? x[i] : y[i];
}

MHO_SIMD_CLONES void scale_by(float* y, float factor, int64_t count) {
    for (int64_t i = 0; i < count; ++i) y[i] *= factor;
}

/// The taps of one axis at one output index: first tap inside the input, one past the last, and how many
/// count in an average that includes padding.
struct Taps {
    int64_t begin, end, counted;
};

Taps taps(const step::Pool& pool, size_t axis, int64_t output, int64_t extent) {
    const Window& w = pool.window;
    const int64_t start = output * w.stride[axis] - w.pad_begin[axis];
    const int64_t padded_end = extent + w.pad_end[axis] - pool.ceil_extra[axis];
    Taps t{w.kernel[axis], 0, 0};
    for (int64_t k = 0; k < w.kernel[axis]; ++k) {
        const int64_t at = start + k * w.dilation[axis];
        if (at >= 0 && at < extent) {
            t.begin = std::min(t.begin, k);
            t.end = k + 1;
        }
        t.counted += at < padded_end;
    }
    return t;
}

}  // namespace

void pool(const step::Pool& pool, const float* x, const std::vector<int64_t>& xd, float* y,
          const std::vector<int64_t>& yd) {
    const Window& w = pool.window;
    const int64_t channels = xd[4];
    const bool average = pool.kind == PoolKind::average;
    for (int64_t n = 0; n < yd[0]; ++n)
        for (int64_t od = 0; od < yd[1]; ++od)
            for (int64_t oh = 0; oh < yd[2]; ++oh)
                for (int64_t ow = 0; ow < yd[3]; ++ow, y += channels) {
                    const Taps d = taps(pool, 0, od, xd[1]), h = taps(pool, 1, oh, xd[2]),
                               v = taps(pool, 2, ow, xd[3]);
                    std::fill_n(y, channels, average ? 0.0f : -HUGE_VALF);
                    for (int64_t kd = d.begin; kd < d.end; ++kd)
                        for (int64_t kh = h.begin; kh < h.end; ++kh)
                            for (int64_t kw = v.begin; kw < v.end; ++kw) {
                                const int64_t id = od * w.stride[0] - w.pad_begin[0] + kd * w.dilation[0];
                                const int64_t ih = oh * w.stride[1] - w.pad_begin[1] + kh * w.dilation[1];
                                const int64_t iw = ow * w.stride[2] - w.pad_begin[2] + kw * w.dilation[2];
                                const float* tap =
                                    x + (((n * xd[1] + id) * xd[2] + ih) * xd[3] + iw) * channels;
                                average ? add_to(y, tap, channels) : max_to(y, tap, channels);
                            }
                    if (!average) continue;
                    const int64_t inside = std::max<int64_t>(0, d.end - d.begin) *
                                           std::max<int64_t>(0, h.end - h.begin) *
                                           std::max<int64_t>(0, v.end - v.begin);
                    const int64_t count = pool.count_include_pad ? d.counted * h.counted * v.counted : inside;
                    scale_by(y, 1.0f / static_cast<float>(count), channels);
                }
}

}  // namespace mho::cpu
