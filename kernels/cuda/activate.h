// kernels/cuda/activate.h - activations whose kind is known at run time, alone or at the end of another
// kernel.
#pragma once

#include <optional>

#include "kernels/cuda/portable.h"
#include "kernels/steps/activations.h"

namespace mho::cuda {

__device__ inline float activated_by(const Activation& f, float x) {
    using K = ActivationKind;
    switch (f.kind) {
#define MHO_CASE(kind) \
    case K::kind:      \
        return activated<K::kind>(x, f.alpha, f.beta);
        MHO_EACH_ACTIVATION(MHO_CASE)
#undef MHO_CASE
    }
    return x;
}

/// What a kernel does to a result before it writes it.
struct Epilogue {
    bool activates = false;
    Activation activation;

    Epilogue() = default;
    explicit Epilogue(const std::optional<Activation>& f)
        : activates(f.has_value()), activation(f.value_or(Activation{})) {}
    __device__ float of(float x) const { return activates ? activated_by(activation, x) : x; }
};

}  // namespace mho::cuda
