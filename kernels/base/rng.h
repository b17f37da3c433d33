// kernels/base/rng.h - a random draw has an address: which seed, chip, purpose, layer and element it is for.
// docs/physics.md section 6. The generator is Random123's Philox4x32-10.
// To add a purpose: one line in Domain.
#pragma once

#include <Random123/philox.h>

#include <cstdint>

#include "kernels/base/host_device.h"

namespace mho {

/// What a draw is for. The number is part of the counter: never reuse or renumber one.
enum class Domain : uint32_t {
    parameter = 1,          // parameter level: one a parameter and chip
    identity = 2,           // parameter level: analog identity, one a channel and chip
    fault = 3,              // which cells are stuck, and where
    fault_value = 4,        // at what a stuck cell sits
    programming = 5,        // programming error of a cell
    converter_gain = 6,     // one a converter and chip
    converter_offset = 7,   // one a converter and chip
    converter_numbers = 8,  // what a type of converter holds of its own, drawn once a chip
    read_noise = 16,        // one a read
    converter_noise = 17,   // one a conversion
};

/// A sequence of 2^66 words; element e takes word e mod 4 of block e / 4.
struct RandomStream {
    uint64_t seed = 0;
    uint32_t chip = 0;
    Domain domain = Domain::parameter;
    uint32_t layer = 0;  ///< index of the analog layer in the graph, < kLayerLimit
};

/// The counter has 24 bits for the layer: fill_words and its kin throw past that instead of repeating a
/// stream.
inline constexpr uint32_t kLayerLimit = 1u << 24;

/// Four random words, uniform over 32 bits: elements 4 block .. 4 block + 3.
struct Words4 {
    uint32_t word[4];
};

/// Words of one block. Counter: {block low, block high, chip, domain << 24 | layer}; key: the seed, low word
/// first.
MHO_HD inline Words4 philox_block(const RandomStream& stream, uint64_t block) {
    const philox4x32_ctr_t counter = {{static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                                       stream.chip,
                                       static_cast<uint32_t>(stream.domain) << 24 | stream.layer}};
    const philox4x32_key_t key = {
        {static_cast<uint32_t>(stream.seed), static_cast<uint32_t>(stream.seed >> 32)}};
    const philox4x32_ctr_t words = philox4x32(counter, key);
    return {{words.v[0], words.v[1], words.v[2], words.v[3]}};
}

/// The word of one element.
MHO_HD inline uint32_t word(const RandomStream& stream, uint64_t element) {
    return philox_block(stream, element / 4).word[element % 4];
}

}  // namespace mho
