// kernels/rng.h - a random draw has an address: which seed, chip, purpose, layer and element it is for.
// docs/physics.md section 6. The generator is Random123's Philox4x32-10.
// To add a purpose: one line in Domain.
#pragma once

#include <cstdint>

#include "kernels/host_device.h"

namespace mho {

/// What a draw is for. The number is part of the counter: never reuse or renumber one.
enum class Domain : uint32_t {
    parameter = 1,         // parameter level: one a parameter and chip
    identity = 2,          // parameter level: analog identity, one a channel and chip
    fault = 3,             // which cells are stuck, and where
    fault_value = 4,       // at what a stuck cell sits
    programming = 5,       // programming error of a cell
    converter_gain = 6,    // one a converter and chip
    converter_offset = 7,  // one a converter and chip
    read_noise = 16,       // one a read
    converter_noise = 17,  // one a conversion
};

/// A sequence of 2^66 words; element e takes word e mod 4 of block e / 4.
struct RandomStream {
    uint64_t seed = 0;
    uint32_t chip = 0;
    Domain domain = Domain::parameter;
    uint32_t layer = 0;  ///< index of the analog layer in the graph, < 2^24
};

}  // namespace mho
