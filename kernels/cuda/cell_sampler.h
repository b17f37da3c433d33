// kernels/cuda/cell_sampler.h - the cells of one layer on one chip, sampled where they are needed. Four
// neighbouring columns of a row share one block of random words, so that is how many are sampled at a time.
#pragma once

#include "kernels/crossbar/conductance.h"
#include "kernels/crossbar/draw_address.h"
#include "kernels/cuda/draws4.h"
#include "kernels/cuda/portable.h"

namespace mho::cuda {

/// Everything that decides what a cell holds. Plain: passed to kernels.
struct CellSampler {
    const int16_t* target = nullptr;  ///< grid codes in cell order, on the device
    DrawExtents extents;
    int64_t columns = 0;
    CellModel model;
    uint64_t seed = 0;
    PhiloxKeys keys;  ///< of the seed
    uint32_t chip = 0, layer = 0;
    bool nominal = false;  ///< targets as they are
};

/// Which errors a kernel is made for: the common ones alone, in few instructions, or any.
enum class CellErrors { normal_of_g_max, any };

inline CellErrors errors_of(const CellSampler& s) {
    const bool common = !s.nominal && s.model.error.kind == ErrorKind::normal &&
                        s.model.error.normal.sigma.proportional == 0 && !s.model.has_faults();
    return common ? CellErrors::normal_of_g_max : CellErrors::any;
}

struct Cells4 {
    int16_t g[4];
    int32_t clipped, stuck;  ///< how many of the four
};

/// Four cells from element `first` on, a multiple of four; `columns`: how many of them are in the array. The
/// others hold nothing.
__device__ inline Cells4 sample4(const CellSampler& s, uint64_t first, int32_t columns) {
    Cells4 cells{};
    Draws4 draws{};
    Words4 fault{{1u << 31, 1u << 31, 1u << 31, 1u << 31}}, value{};
    if (!s.nominal) {
        const Draw kind = s.model.error.draw;
        if (kind != Draw::none)
            draws = draw4({s.seed, s.chip, Domain::programming, s.layer}, first / 4, kind == Draw::uniform);
        if (s.model.has_faults()) {
            fault = philox_block({s.seed, s.chip, Domain::fault, s.layer}, first / 4);
            value = philox_block({s.seed, s.chip, Domain::fault_value, s.layer}, first / 4);
        }
    }
    for (int i = 0; i < 4 && i < columns; ++i) {
        const int16_t target = s.target[first + static_cast<uint64_t>(i)];
        if (s.nominal) {
            cells.g[i] = target;
            continue;
        }
        const ProgrammedCell cell =
            programmed_cell(s.model, static_cast<float>(target), draws.n[i], fault.word[i], value.word[i]);
        cells.g[i] = cell.g;
        cells.clipped += cell.clipped;
        cells.stuck += cell.stuck;
    }
    return cells;
}

/// The conductances alone, by a kernel made for `kErrors`: those of columns past the last may be anything.
template <CellErrors kErrors>
__device__ inline void conductances4(const CellSampler& s, uint64_t first, int32_t columns, int32_t g[4]) {
    if constexpr (kErrors == CellErrors::any) {
        const Cells4 cells = sample4(s, first, columns);
        for (int i = 0; i < 4; ++i) g[i] = cells.g[i];
    } else {
        struct alignas(8) Targets {
            int16_t of[4];
        };
        const Targets target =
            *reinterpret_cast<const Targets*>(s.target + first);  // rows begin at multiples of 4
        const Draws4 draws =
            draws_of(keyed_block(s.keys, {s.seed, s.chip, Domain::programming, s.layer}, first / 4), false);
        const float sigma = s.model.error.normal.sigma.constant;
        for (int i = 0; i < 4; ++i)
            g[i] = on_grid(off_target(sigma, draws.n[i], static_cast<float>(target.of[i])));
    }
}

}  // namespace mho::cuda
