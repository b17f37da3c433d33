// kernels/cpu/crossbar_read.h - reading one crossbar layer on one chip: codes in, column sums, conversion,
// joining, one float out. docs/physics.md section 4.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cpu/crossbar_chip.h"
#include "kernels/cpu/patches.h"
#include "kernels/crossbar/calibration.h"
#include "kernels/crossbar/input_code.h"

namespace mho::cpu {

/// Input vectors of one batch, already encoded.
struct CrossbarInput {
    const Patches& patches;
    std::span<const int64_t> images = {};  ///< of the batch, their indices in the split; none: no image's
    int64_t positions = 1;                 ///< vectors that one image makes

    /// Where a vector lies over the whole data set: it keys the noise of every read.
    uint64_t position(int64_t vector) const {
        if (images.empty()) return static_cast<uint64_t>(vector);
        const int64_t image = images[static_cast<size_t>(vector / positions)];
        return static_cast<uint64_t>(image * positions + vector % positions);
    }
};

/// y: vectors x groups x outputs.
void read_crossbar(const CrossbarChip& chip, const CrossbarInput& input, float* y);

/// Histograms of the column sums, without read noise.
ColumnHistograms measure_columns(const CrossbarChip& chip, const CrossbarInput& input);

/// Everything inside, for `count` vectors from `first` on.
CrossbarTrace trace_crossbar(const CrossbarChip& chip, const CrossbarInput& input, int64_t first,
                             int64_t count);

}  // namespace mho::cpu
