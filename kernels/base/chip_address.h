// kernels/base/chip_address.h - which chip. docs/physics.md section 6.
#pragma once

#include <cstdint>

namespace mho {

/// The same address is the same chip on every backend.
struct ChipAddress {
    uint64_t seed = 0;
    uint32_t chip = 0;
    /// The nominal chip has no errors, no noise and ideal converters; it is what calibration measures.
    bool nominal = false;

    bool operator==(const ChipAddress&) const = default;
};

}  // namespace mho
