// Philox against cuRAND's host generator, word for word; it needs no GPU. What cuRAND does with a counter is
// its documented layout: sequences are taken in turn, one block of four words of each, 65,536 of them; word 0
// and 1 of the counter number the blocks of a sequence, words 2 and 3 the sequence.
#include <curand.h>
#include <gtest/gtest.h>

#include <vector>

#include "kernels/base/rng.h"
#include "kernels/cuda/draws4.h"

namespace mho {
namespace {

constexpr uint64_t kSequences = 65536;

std::vector<unsigned> curand_words(uint64_t seed, uint64_t first_block, size_t blocks) {
    curandGenerator_t generator;
    EXPECT_EQ(curandCreateGeneratorHost(&generator, CURAND_RNG_PSEUDO_PHILOX4_32_10), CURAND_STATUS_SUCCESS);
    EXPECT_EQ(curandSetPseudoRandomGeneratorSeed(generator, seed), CURAND_STATUS_SUCCESS);
    EXPECT_EQ(curandSetGeneratorOffset(generator, 4 * first_block), CURAND_STATUS_SUCCESS);
    std::vector<unsigned> words(4 * blocks);
    EXPECT_EQ(curandGenerate(generator, words.data(), words.size()), CURAND_STATUS_SUCCESS);
    EXPECT_EQ(curandDestroyGenerator(generator), CURAND_STATUS_SUCCESS);
    return words;
}

TEST(Curand, words_of_philox_are_the_same_on_both_paths) {
    constexpr size_t kBlocks = 3 * kSequences + 5;
    for (uint64_t seed : {uint64_t{0}, uint64_t{0x123456789abcdef0}, ~uint64_t{0}})
        for (uint64_t first : {uint64_t{0}, uint64_t{70001}, (uint64_t{7} << 48) + 11}) {
            const std::vector<unsigned> want = curand_words(seed, first, kBlocks);
            const cuda::PhiloxKeys keys = cuda::philox_keys(seed);
            for (size_t i = 0; i < kBlocks; ++i) {
                const uint64_t sequence = (first + i) % kSequences, block = (first + i) / kSequences;
                const RandomStream stream{seed, static_cast<uint32_t>(sequence), Domain{0}, 0};
                const Words4 ours = philox_block(stream, block),
                             in_kernels = cuda::keyed_block(keys, stream, block);
                for (size_t w = 0; w < 4; ++w) {
                    ASSERT_EQ(ours.word[w], want[4 * i + w]) << "seed " << seed << ", block " << first + i;
                    ASSERT_EQ(in_kernels.word[w], want[4 * i + w])
                        << "seed " << seed << ", block " << first + i;
                }
            }
        }
}

}  // namespace
}  // namespace mho
