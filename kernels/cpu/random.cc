// Blocks of a chunk are held word by word (all first words, all second words, ...), so that each round of
// Philox and each step of Box-Muller is one loop over neighbours, which compilers turn into vector
// instructions.
#include "kernels/cpu/random.h"

#include <algorithm>
#include <stdexcept>

#include "kernels/base/normal.h"
#include "kernels/cpu/simd.h"

namespace mho::cpu {
namespace {

constexpr size_t kBlocks = 64;          // of one chunk: its state stays in the first-level cache
constexpr size_t kChunk = 4 * kBlocks;  // elements

struct ChunkWords {
    alignas(64) uint32_t word[4][kBlocks];
};

/// Ten rounds of Philox4x32 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC
/// 2011).
MHO_FORMULA void philox_chunk(const RandomStream& stream, uint64_t first_block, ChunkWords& x) {
    for (size_t i = 0; i < kBlocks; ++i) {
        x.word[0][i] = static_cast<uint32_t>(first_block + i);
        x.word[1][i] = static_cast<uint32_t>((first_block + i) >> 32);
        x.word[2][i] = stream.chip;
        x.word[3][i] = static_cast<uint32_t>(stream.domain) << 24 | stream.layer;
    }
    uint32_t key0 = static_cast<uint32_t>(stream.seed), key1 = static_cast<uint32_t>(stream.seed >> 32);
    for (int round = 0; round < 10; ++round) {
        for (size_t i = 0; i < kBlocks; ++i) {
            const uint64_t p0 = uint64_t{0xD2511F53u} * x.word[0][i],
                           p1 = uint64_t{0xCD9E8D57u} * x.word[2][i];
            x.word[0][i] = static_cast<uint32_t>(p1 >> 32) ^ x.word[1][i] ^ key0;
            x.word[1][i] = static_cast<uint32_t>(p1);
            x.word[2][i] = static_cast<uint32_t>(p0 >> 32) ^ x.word[3][i] ^ key1;
            x.word[3][i] = static_cast<uint32_t>(p0);
        }
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

MHO_SIMD_CLONES void words_chunk(const RandomStream& stream, uint64_t first_block, uint32_t* out) {
    ChunkWords x;
    philox_chunk(stream, first_block, x);
    for (size_t i = 0; i < kBlocks; ++i)
        for (size_t j = 0; j < 4; ++j) out[4 * i + j] = x.word[j][i];
}

MHO_SIMD_CLONES void normals_chunk(const RandomStream& stream, uint64_t first_block, float* out) {
    ChunkWords x;
    philox_chunk(stream, first_block, x);
    alignas(64) float n[4][kBlocks];
    for (size_t pair = 0; pair < 4; pair += 2)
        for (size_t i = 0; i < kBlocks; ++i) {
            const Normal2 normals = normal_pair(x.word[pair][i], x.word[pair + 1][i]);
            n[pair][i] = normals.first;
            n[pair + 1][i] = normals.second;
        }
    for (size_t i = 0; i < kBlocks; ++i)
        for (size_t j = 0; j < 4; ++j) out[4 * i + j] = n[j][i];
}

MHO_SIMD_CLONES void uniforms_chunk(const RandomStream& stream, uint64_t first_block, float* out) {
    ChunkWords x;
    philox_chunk(stream, first_block, x);
    for (size_t i = 0; i < kBlocks; ++i)
        for (size_t j = 0; j < 4; ++j) out[4 * i + j] = uniform_of_word(x.word[j][i]);
}

/// Whole chunks go straight to `out`; a first or last one that is not whole goes by way of a buffer.
template <class T>
void fill(const RandomStream& stream, uint64_t first, std::span<T> out,
          void (*chunk)(const RandomStream&, uint64_t, T*)) {
    if (stream.layer >= kLayerLimit) throw std::out_of_range("random stream: layer index of 2^24 or more");
    T buffer[kChunk];
    size_t done = 0;
    while (done < out.size()) {
        const uint64_t element = first + done;
        const size_t skip = static_cast<size_t>(element % 4), left = out.size() - done;
        if (skip == 0 && left >= kChunk) {
            chunk(stream, element / 4, out.data() + done);
            done += kChunk;
            continue;
        }
        const size_t count = std::min(left, kChunk - skip);
        chunk(stream, element / 4, buffer);
        std::copy_n(buffer + skip, count, out.data() + done);
        done += count;
    }
}

}  // namespace

void fill_words(const RandomStream& stream, uint64_t first_element, std::span<uint32_t> out) {
    fill(stream, first_element, out, words_chunk);
}

void fill_normals(const RandomStream& stream, uint64_t first_element, std::span<float> out) {
    fill(stream, first_element, out, normals_chunk);
}

void fill_uniforms(const RandomStream& stream, uint64_t first_element, std::span<float> out) {
    fill(stream, first_element, out, uniforms_chunk);
}

}  // namespace mho::cpu
