// kernels/cuda/cell_sampler.h - the cells of one layer on one chip, sampled where they are needed. Four
// neighbouring columns of a row share one block of random words, so that is how many are sampled at a time.
#pragma once

#include "kernels/conductance.h"
#include "kernels/cuda/draws4.h"
#include "kernels/cuda/portable.h"
#include "kernels/draw_address.h"

namespace mho::cuda {

/// Everything that decides what a cell holds. Plain: passed to kernels.
struct CellSampler {
    const int16_t* target = nullptr;  ///< grid codes in cell order, on the device
    DrawExtents extents;
    int64_t columns = 0;
    DeviceModel device;
    float sigma = 0, g_min = 0;
    FaultThresholds faults;
    uint64_t seed = 0;
    uint32_t chip = 0, layer = 0;
    bool nominal = false;  ///< targets as they are
};

struct Cells4 {
    int16_t g[4];
    int32_t clipped, stuck;  ///< how many of the four
};

/// Cells of columns `column` .. `column + 3`, a multiple of four; past the last column they hold nothing.
__device__ inline Cells4 sample4(const CellSampler& s, int64_t group, int64_t slice, int64_t polarity,
                                 int64_t row, int64_t column) {
    const uint64_t first = cell_element(s.extents, group, slice, polarity, row, column);
    Cells4 cells{};
    Draws4 draws{};
    Words4 fault{{1u << 31, 1u << 31, 1u << 31, 1u << 31}}, value{};
    const bool faulty = s.faults.low + s.faults.high > 0;
    if (!s.nominal) {
        if (s.device.error != ErrorKind::none)
            draws = draw4({s.seed, s.chip, Domain::programming, s.layer}, first / 4,
                          s.device.error == ErrorKind::uniform);
        if (faulty) {
            fault = philox_block({s.seed, s.chip, Domain::fault, s.layer}, first / 4);
            value = philox_block({s.seed, s.chip, Domain::fault_value, s.layer}, first / 4);
        }
    }
    for (int i = 0; i < 4; ++i) {
        if (column + i >= s.columns) continue;
        const int16_t target = s.target[first + static_cast<uint64_t>(i)];
        if (s.nominal) {
            cells.g[i] = target;
            continue;
        }
        const ProgrammedCell cell =
            programmed_cell(s.device, s.sigma, s.faults, s.g_min, static_cast<float>(target), draws.n[i],
                            fault.word[i], value.word[i]);
        cells.g[i] = cell.g;
        cells.clipped += cell.clipped;
        cells.stuck += cell.stuck;
    }
    return cells;
}

}  // namespace mho::cuda
