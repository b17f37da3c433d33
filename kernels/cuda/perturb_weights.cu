// p -> p + R (sigma n + mu) for the parameters of one layer on one chip: a thread takes one block of random
// words, that is, up to four parameters.
#include "kernels/cuda/draws4.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/operations.h"

namespace mho::cuda {
namespace {

struct PerturbParams {
    Perturbation perturbation;
    bool perturbs = false;
    uint64_t seed = 0;
    uint32_t chip = 0;
    const float* value = nullptr;
    int64_t count = 0;
    WeightOrder order;
    float* perturbed = nullptr;
};

__device__ int64_t place_of(const WeightOrder& o, int64_t i) {
    const int64_t tap = i % o.taps, input = i / o.taps % o.inputs, output = i / o.taps / o.inputs;
    return (output * o.taps + tap) * o.inputs + input;
}

__global__ void perturb_weights_kernel(PerturbParams p) {
    const uint64_t first = p.perturbation.first_element, first_block = first / 4;
    const int64_t blocks =
        static_cast<int64_t>((first + static_cast<uint64_t>(p.count) + 3) / 4 - first_block);
    for (int64_t b = first_element(); b < blocks; b += element_stride()) {
        const uint64_t block = first_block + static_cast<uint64_t>(b);
        const Perturbation& e = p.perturbation;
        Draws4 draws{};
        if (p.perturbs)
            draws =
                draw4({p.seed, p.chip, e.domain, e.layer}, block, e.distribution == Distribution::uniform);
        for (int j = 0; j < 4; ++j) {
            const int64_t i = static_cast<int64_t>(block * 4 - first) + j;
            if (i < 0 || i >= p.count) continue;
            p.perturbed[place_of(p.order, i)] =
                p.perturbs ? perturbed(e, p.value[i], draws.n[j]) : p.value[i];
        }
    }
}

}  // namespace

void perturb_weights(const Perturbation* perturbation, uint64_t seed, uint32_t chip, const float* value,
                     int64_t count, const WeightOrder& order, float* perturbed, cudaStream_t stream) {
    PerturbParams p;
    p.perturbs = perturbation != nullptr;
    if (perturbation) p.perturbation = *perturbation;
    p.seed = seed;
    p.chip = chip;
    p.value = value;
    p.count = count;
    p.order = order;
    p.perturbed = perturbed;
    launch("perturb_weights", perturb_weights_kernel, one_thread_each(count / 4 + 2), stream, p);
}

}  // namespace mho::cuda
