#include "kernels/cpu/pooling.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/simd.h"
#include "kernels/steps/pool_taps.h"

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
                    const PoolTaps d = pool_taps(pool, 0, od, xd[1]), h = pool_taps(pool, 1, oh, xd[2]),
                                   v = pool_taps(pool, 2, ow, xd[3]);
                    std::fill_n(y, channels, average ? 0.0f : -HUGE_VALF);
                    for (int64_t kd = d.begin; kd < d.end; ++kd)
                        for (int64_t kh = h.begin; kh < h.end; ++kh)
                            for (int64_t kw = v.begin; kw < v.end; ++kw) {
                                const int64_t id = d.first_input + kd * w.dilation[0];
                                const int64_t ih = h.first_input + kh * w.dilation[1];
                                const int64_t iw = v.first_input + kw * w.dilation[2];
                                const float* tap =
                                    x + (((n * xd[1] + id) * xd[2] + ih) * xd[3] + iw) * channels;
                                average ? add_to(y, tap, channels) : max_to(y, tap, channels);
                            }
                    if (average) scale_by(y, 1.0f / static_cast<float>(pool_count(pool, d, h, v)), channels);
                }
}

}  // namespace mho::cpu
