// kernels/steps/perturbation.h - the parameter-level model: p -> p + R (sigma n + mu). docs/physics.md
// section 5.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/base/host_device.h"
#include "kernels/base/rng.h"

namespace mho {

enum class Distribution { gaussian, uniform };

/// How the parameters of one array deviate on a chip. n is one draw a parameter and chip.
struct Perturbation {
    float range = 0;  ///< R: what the array's conductance range must cover, in the parameter's unit, >= 0
    float sigma = 0;  ///< relative to R, >= 0
    float mu = 0;     ///< relative to R
    Distribution distribution = Distribution::gaussian;
    Domain domain = Domain::parameter;
    uint32_t layer = 0;          ///< index of the analog layer in the graph, < 2^24
    uint64_t first_element = 0;  ///< place of the first parameter in that layer (weights first, then biases)
};

/// p + R (sigma n + mu): two fused roundings, the same bits everywhere.
MHO_HD inline float perturbed(const Perturbation& e, float p, float n) {
    return fmaf(e.range, fmaf(e.sigma, n, e.mu), p);
}

}  // namespace mho
