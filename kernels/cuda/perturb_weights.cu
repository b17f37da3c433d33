// p -> p + R (sigma n + mu) for the parameters of one layer on one chip: a thread takes one block of random
// words, that is, up to four parameters.
#include "kernels/cuda/launch.h"
#include "kernels/cuda/operations.h"
#include "kernels/normal.h"

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

__device__ void draw4(const PerturbParams& p, uint64_t block, float n[4]) {
    const Perturbation& e = p.perturbation;
    const Words4 w = philox_block({p.seed, p.chip, e.domain, e.layer}, block);
    if (e.distribution == Distribution::uniform) {
        for (int i = 0; i < 4; ++i) n[i] = uniform_of_word(w.word[i]);
        return;
    }
    const Normal2 low = normal_pair(w.word[0], w.word[1]), high = normal_pair(w.word[2], w.word[3]);
    n[0] = low.first;
    n[1] = low.second;
    n[2] = high.first;
    n[3] = high.second;
}

__global__ void perturb_weights_kernel(PerturbParams p) {
    const uint64_t first = p.perturbation.first_element, first_block = first / 4;
    const int64_t blocks =
        static_cast<int64_t>((first + static_cast<uint64_t>(p.count) + 3) / 4 - first_block);
    for (int64_t b = first_element(); b < blocks; b += element_stride()) {
        float n[4] = {};
        if (p.perturbs) draw4(p, first_block + static_cast<uint64_t>(b), n);
        for (int j = 0; j < 4; ++j) {
            const int64_t i = static_cast<int64_t>((first_block + static_cast<uint64_t>(b)) * 4 - first) + j;
            if (i < 0 || i >= p.count) continue;
            p.perturbed[place_of(p.order, i)] =
                p.perturbs ? perturbed(p.perturbation, p.value[i], n[j]) : p.value[i];
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
