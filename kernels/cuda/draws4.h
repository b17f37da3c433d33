// kernels/cuda/draws4.h - the four draws that one block of random words makes, at once.
#pragma once

#include "kernels/base/normal.h"
#include "kernels/cuda/portable.h"

namespace mho::cuda {

/// The keys of all ten rounds of Philox4x32-10 for one seed: made on the host, so that no thread adds them
/// up.
struct PhiloxKeys {
    uint32_t round[10][2] = {};
};

inline PhiloxKeys philox_keys(uint64_t seed) {
    PhiloxKeys keys;
    for (uint32_t r = 0; r < 10; ++r) {
        keys.round[r][0] = static_cast<uint32_t>(seed) + r * PHILOX_W32_0;
        keys.round[r][1] = static_cast<uint32_t>(seed >> 32) + r * PHILOX_W32_1;
    }
    return keys;
}

/// The words of philox_block (kernels/base/rng.h); stream.seed is not looked at: `keys` are of it.
__device__ inline Words4 keyed_block(const PhiloxKeys& keys, const RandomStream& stream, uint64_t block) {
    uint32_t c0 = static_cast<uint32_t>(block), c1 = static_cast<uint32_t>(block >> 32), c2 = stream.chip,
             c3 = static_cast<uint32_t>(stream.domain) << 24 | stream.layer;
    MHO_UNROLL
    for (int r = 0; r < 10; ++r) {
        const uint64_t even = uint64_t{PHILOX_M4x32_0} * c0, odd = uint64_t{PHILOX_M4x32_1} * c2;
        c0 = static_cast<uint32_t>(odd >> 32) ^ c1 ^ keys.round[r][0];
        c1 = static_cast<uint32_t>(odd);
        c2 = static_cast<uint32_t>(even >> 32) ^ c3 ^ keys.round[r][1];
        c3 = static_cast<uint32_t>(even);
    }
    return {{c0, c1, c2, c3}};
}

struct Draws4 {
    float n[4];
};

/// N(0, 1), or uniform in (-1, 1), of the four words of a block.
__device__ inline Draws4 draws_of(const Words4& w, bool uniform) {
    if (uniform)
        return {{uniform_of_word(w.word[0]), uniform_of_word(w.word[1]), uniform_of_word(w.word[2]),
                 uniform_of_word(w.word[3])}};
    const Normal2 low = normal_pair(w.word[0], w.word[1]), high = normal_pair(w.word[2], w.word[3]);
    return {{low.first, low.second, high.first, high.second}};
}

/// Elements 4 block .. 4 block + 3 of `stream`.
__device__ inline Draws4 draw4(const RandomStream& stream, uint64_t block, bool uniform) {
    return draws_of(philox_block(stream, block), uniform);
}

}  // namespace mho::cuda
