// kernels/cuda/draws4.h - the four draws that one block of random words makes, at once.
#pragma once

#include "kernels/cuda/portable.h"
#include "kernels/normal.h"

namespace mho::cuda {

struct Draws4 {
    float n[4];
};

/// Elements 4 block .. 4 block + 3 of `stream`: N(0, 1), or uniform in (-1, 1).
__device__ inline Draws4 draw4(const RandomStream& stream, uint64_t block, bool uniform) {
    const Words4 w = philox_block(stream, block);
    if (uniform)
        return {{uniform_of_word(w.word[0]), uniform_of_word(w.word[1]), uniform_of_word(w.word[2]),
                 uniform_of_word(w.word[3])}};
    const Normal2 low = normal_pair(w.word[0], w.word[1]), high = normal_pair(w.word[2], w.word[3]);
    return {{low.first, low.second, high.first, high.second}};
}

}  // namespace mho::cuda
