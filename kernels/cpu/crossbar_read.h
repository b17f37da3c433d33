// kernels/cpu/crossbar_read.h - reading one crossbar layer on one chip: codes in, column sums, conversion,
// joining, one float out. docs/physics.md section 4.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/crossbar_chip.h"
#include "kernels/cpu/patches.h"
#include "kernels/crossbar/calibration.h"
#include "kernels/crossbar/input_code.h"

namespace mho::cpu {

/// Input vectors of one batch, already encoded. `first_place`: the place of vector 0 over the whole data set,
/// image times places an image; it keys the noise of every read.
struct CrossbarInput {
    const Patches& patches;
    uint64_t first_place = 0;
};

/// y: vectors x groups x outputs.
void read_crossbar(const CrossbarChip& chip, const CrossbarInput& input, float* y);

/// Histograms of the column sums, without read noise.
ColumnHistograms measure_columns(const CrossbarChip& chip, const CrossbarInput& input);

/// Everything inside, for `count` vectors from `first` on.
CrossbarTrace trace_crossbar(const CrossbarChip& chip, const CrossbarInput& input, int64_t first,
                             int64_t count);

}  // namespace mho::cpu
