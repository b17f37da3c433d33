// kernels/cuda/activate.h - an activation whose kind is known at run time.
#pragma once

#include "kernels/cuda/portable.h"
#include "kernels/elementary.h"

namespace mho::cuda {

__device__ inline float activated_by(const Activation& f, float x) {
    using K = ActivationKind;
    switch (f.kind) {
#define MHO_CASE(kind) \
    case K::kind:      \
        return activated<K::kind>(x, f.alpha, f.beta);
        MHO_CASE(relu)
        MHO_CASE(clip)
        MHO_CASE(leaky_relu)
        MHO_CASE(sigmoid)
        MHO_CASE(hard_sigmoid)
        MHO_CASE(hard_swish)
        MHO_CASE(silu)
        MHO_CASE(tanh)
        MHO_CASE(gelu)
        MHO_CASE(gelu_tanh)
        MHO_CASE(erf)
        MHO_CASE(exp)
        MHO_CASE(sqrt)
#undef MHO_CASE
    }
    return x;
}

}  // namespace mho::cuda
