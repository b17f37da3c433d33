#include "kernels/cpu/elementwise.h"

#include <array>
#include <utility>

#include "kernels/cpu/simd.h"
#include "kernels/steps/axes.h"
#include "kernels/steps/quantise.h"

namespace mho::cpu {
namespace {

// Clones cannot be templates, so each activation has a loop of its own made by a macro from the one list of
// kinds.
#define MHO_ACTIVATION_LOOP(kind)                                                                            \
    MHO_SIMD_CLONES void activate_##kind(const float* x, float* y, int64_t count, float alpha, float beta) { \
        for (int64_t i = 0; i < count; ++i) y[i] = activated<ActivationKind::kind>(x[i], alpha, beta);       \
    }
MHO_EACH_ACTIVATION(MHO_ACTIVATION_LOOP)

MHO_SIMD_CLONES void affine_channels_last(const float* __restrict x, float* __restrict y, int64_t rows,
                                          int64_t channels, const float* __restrict scale,
                                          const float* __restrict shift, float floor) {
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < channels; ++c) {
            const float v = fmaf(x[r * channels + c], scale[c], shift[c]);
            y[r * channels + c] = v > floor ? v : floor;
        }
}

MHO_SIMD_CLONES void affine_run(const float* x, float* y, int64_t count, float scale, float shift,
                                float floor) {
    for (int64_t i = 0; i < count; ++i) {
        const float v = fmaf(x[i], scale, shift);
        y[i] = v > floor ? v : floor;
    }
}

// Operand steps are 0 (one value repeated) or 1.
#define MHO_BINARY_LOOP(name, sign)                                                                 \
    MHO_SIMD_CLONES void name##_run(const float* a, int64_t a_step, const float* b, int64_t b_step, \
                                    float* y, int64_t count) {                                      \
        if (a_step && b_step)                                                                       \
            for (int64_t i = 0; i < count; ++i) y[i] = a[i] sign b[i];                              \
        else if (a_step)                                                                            \
            for (int64_t i = 0; i < count; ++i) y[i] = a[i] sign b[0];                              \
        else if (b_step)                                                                            \
            for (int64_t i = 0; i < count; ++i) y[i] = a[0] sign b[i];                              \
        else                                                                                        \
            for (int64_t i = 0; i < count; ++i) y[i] = a[0] sign b[0];                              \
    }
MHO_EACH_BINARY(MHO_BINARY_LOOP)

using BinaryRun = void (*)(const float*, int64_t, const float*, int64_t, float*, int64_t);

BinaryRun run_of(BinaryKind kind) {
    switch (kind) {
#define MHO_BINARY_CASE(kind, sign) \
    case BinaryKind::kind:          \
        return kind##_run;
        MHO_EACH_BINARY(MHO_BINARY_CASE)
    }
    return nullptr;
}

MHO_SIMD_CLONES void quantise_run(const Quantiser q, const float* x, float* y, int64_t count) {
    for (int64_t i = 0; i < count; ++i) y[i] = q.of(x[i]);
}

/// How far a step along each axis moves in an operand: 0 along axes that it repeats.
std::vector<int64_t> broadcast_strides(const std::vector<int64_t>& dims, const std::vector<int64_t>& to) {
    std::vector<int64_t> strides(dims.size(), 0);
    int64_t stride = 1;
    for (size_t i = dims.size(); i-- > 0;) {
        if (dims[i] == to[i] && dims[i] != 1) strides[i] = stride;
        stride *= dims[i];
    }
    return strides;
}

/// Merges neighbouring axes that both operands walk alike, so that the inner run is as long as it can be.
struct Walk {
    std::vector<int64_t> extent, a, b;
};

Walk merged_walk(const std::vector<int64_t>& dims, const std::vector<int64_t>& a,
                 const std::vector<int64_t>& b) {
    Walk w;
    for (size_t i = 0; i < dims.size(); ++i) {
        if (dims[i] == 1) continue;
        const bool joins = !w.extent.empty() && w.a.back() == a[i] * dims[i] && w.b.back() == b[i] * dims[i];
        if (joins) {
            w.extent.back() *= dims[i];
            w.a.back() = a[i];
            w.b.back() = b[i];
        } else {
            w.extent.push_back(dims[i]);
            w.a.push_back(a[i]);
            w.b.push_back(b[i]);
        }
    }
    if (w.extent.empty()) w = {{1}, {0}, {0}};
    return w;
}

}  // namespace

void activate(const Activation& f, const float* x, float* y, int64_t count) {
    switch (f.kind) {
#define MHO_ACTIVATION_CASE(kind) \
    case ActivationKind::kind:    \
        return activate_##kind(x, y, count, f.alpha, f.beta);
        MHO_EACH_ACTIVATION(MHO_ACTIVATION_CASE)
    }
}

void affine(const float* x, float* y, const AxisSplit& d, const float* scale, const float* shift, bool relu) {
    const float floor = relu ? 0.0f : -HUGE_VALF;
    if (d.inner == 1 && scale && shift)
        return affine_channels_last(x, y, d.outer, d.extent, scale, shift, floor);
    for (int64_t o = 0; o < d.outer; ++o)
        for (int64_t c = 0; c < d.extent; ++c) {
            const int64_t at = (o * d.extent + c) * d.inner;
            affine_run(x + at, y + at, d.inner, scale ? scale[c] : 1.0f, shift ? shift[c] : 0.0f, floor);
        }
}

void binary(BinaryKind kind, const float* a, const std::vector<int64_t>& a_dims, const float* b,
            const std::vector<int64_t>& b_dims, float* y, const std::vector<int64_t>& y_dims) {
    const Walk w = merged_walk(y_dims, broadcast_strides(a_dims, y_dims), broadcast_strides(b_dims, y_dims));
    const BinaryRun run = run_of(kind);
    const size_t last = w.extent.size() - 1;
    std::array<int64_t, 16> index{};
    int64_t a_at = 0, b_at = 0;
    for (;;) {
        run(a + a_at, w.a[last], b + b_at, w.b[last], y, w.extent[last]);
        y += w.extent[last];
        size_t axis = last;
        for (;;) {
            if (axis == 0) return;
            --axis;
            a_at += w.a[axis];
            b_at += w.b[axis];
            if (++index[axis] < w.extent[axis]) break;
            a_at -= w.a[axis] * w.extent[axis];
            b_at -= w.b[axis] * w.extent[axis];
            index[axis] = 0;
        }
    }
}

void quantise(int levels, float high, const float* x, float* y, int64_t count) {
    quantise_run(Quantiser(levels, high), x, y, count);
}

}  // namespace mho::cpu
