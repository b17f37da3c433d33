// kernels/steps/activations.h - every elementwise function, listed once: enum, names, formulas, loops and
// kernels of both backends, and the cases of tests follow from the list. Float32, the same bits on every CPU
// and GPU (kernels/base/elementary.h). To add one: a line in the list, its formula below, its oracle in
// tests/oracle/graph_oracle.cc, its ONNX names in models/onnx.
#pragma once

#include <cmath>

#include "kernels/base/elementary.h"
#include "kernels/base/host_device.h"

namespace mho {

/// DO(kind) for every kind.
#define MHO_EACH_ACTIVATION(DO)                                       \
    DO(relu)         /* max(x, 0) */                                  \
    DO(clip)         /* min(max(x, alpha), beta) */                   \
    DO(leaky_relu)   /* x < 0 ? alpha x : x */                        \
    DO(sigmoid)      /* 1 / (1 + exp(-x)) */                          \
    DO(hard_sigmoid) /* min(max(alpha x + beta, 0), 1) */             \
    DO(hard_swish)   /* x hard_sigmoid(x), alpha 1/6, beta 1/2 */     \
    DO(silu)         /* x sigmoid(x) */                               \
    DO(tanh)                                                          \
    DO(gelu)      /* x/2 (1 + erf(x / sqrt 2)) */                     \
    DO(gelu_tanh) /* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */ \
    DO(erf)                                                           \
    DO(exp)                                                           \
    DO(sqrt)

enum class ActivationKind {
#define MHO_ENUMERATOR(kind) kind,
    MHO_EACH_ACTIVATION(MHO_ENUMERATOR)
#undef MHO_ENUMERATOR
};

inline constexpr ActivationKind kActivations[] = {
#define MHO_ENUMERATOR(kind) ActivationKind::kind,
    MHO_EACH_ACTIVATION(MHO_ENUMERATOR)
#undef MHO_ENUMERATOR
};

inline const char* name_of(ActivationKind kind) {
    switch (kind) {
#define MHO_NAME(kind)         \
    case ActivationKind::kind: \
        return #kind;
        MHO_EACH_ACTIVATION(MHO_NAME)
#undef MHO_NAME
    }
    return "";
}

/// One elementwise function; alpha and beta mean what their kind says.
struct Activation {
    ActivationKind kind = ActivationKind::relu;
    float alpha = 0;
    float beta = 0;

    bool operator==(const Activation&) const = default;
};

MHO_FORMULA float sigmoid_of(float x) { return 1.0f / (1.0f + exp_of(-x)); }

/// One activation of one value.
template <ActivationKind kind>
MHO_FORMULA float activated(float x, float alpha, float beta) {
    using K = ActivationKind;
    if constexpr (kind == K::relu) return x > 0.0f ? x : 0.0f;
    if constexpr (kind == K::clip) return fminf(fmaxf(x, alpha), beta);
    if constexpr (kind == K::leaky_relu) return x < 0.0f ? alpha * x : x;
    if constexpr (kind == K::sigmoid) return sigmoid_of(x);
    if constexpr (kind == K::hard_sigmoid) return fminf(fmaxf(fmaf(alpha, x, beta), 0.0f), 1.0f);
    if constexpr (kind == K::hard_swish) return x * fminf(fmaxf(fmaf(x, 1.0f / 6, 0.5f), 0.0f), 1.0f);
    if constexpr (kind == K::silu) return x * sigmoid_of(x);
    if constexpr (kind == K::tanh) return tanh_of(x);
    if constexpr (kind == K::gelu) return 0.5f * x * (1.0f + erf_of(x * 0.707106781f));
    if constexpr (kind == K::gelu_tanh)
        return 0.5f * x * (1.0f + tanh_of(0.797884561f * fmaf(0.044715f * x * x, x, x)));
    if constexpr (kind == K::erf) return erf_of(x);
    if constexpr (kind == K::exp) return exp_of(x);
    if constexpr (kind == K::sqrt) return sqrtf(x);
}

}  // namespace mho
