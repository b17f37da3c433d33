// kernels/steps/pool_taps.h - what a pooling window covers of one axis at one position of the output.
#pragma once

#include <cstdint>

#include "kernels/base/host_device.h"
#include "kernels/steps/steps.h"

namespace mho {

/// Tap k reads input first_input + k dilation, for k in [begin, end): those inside the input. `counted`: how
/// many count in an average that includes padding.
struct PoolTaps {
    int64_t first_input, begin, end, counted;
};

MHO_HD inline PoolTaps pool_taps(const step::Pool& pool, size_t axis, int64_t output, int64_t extent) {
    const Window& w = pool.window;
    const int64_t start = output * w.stride[axis] - w.pad_begin[axis];
    const int64_t padded_end = extent + w.pad_end[axis] - pool.ceil_extra[axis];
    PoolTaps t{start, w.kernel[axis], 0, 0};
    for (int64_t k = 0; k < w.kernel[axis]; ++k) {
        const int64_t at = start + k * w.dilation[axis];
        if (at >= 0 && at < extent) {
            if (k < t.begin) t.begin = k;
            t.end = k + 1;
        }
        t.counted += at < padded_end;
    }
    return t;
}

/// What an average over these windows is divided by.
MHO_HD inline int64_t pool_count(const step::Pool& pool, const PoolTaps& d, const PoolTaps& h,
                                 const PoolTaps& w) {
    if (pool.count_include_pad) return d.counted * h.counted * w.counted;
    const auto inside = [](const PoolTaps& t) { return t.end > t.begin ? t.end - t.begin : 0; };
    return inside(d) * inside(h) * inside(w);
}

}  // namespace mho
