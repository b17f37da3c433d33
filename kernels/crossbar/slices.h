// kernels/crossbar/slices.h - how the levels of weights are split into slices and lie on the conductance
// grid. docs/physics.md section 2. host/chip/mapping.cc lays them out.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mho {

/// The cells that hold one digit of every weight.
struct Slice {
    int bits = 7, shift = 0;  ///< the digit of a whole level u is u >> shift & (2^bits - 1)
    int64_t full = 127;       ///< level that lies at g_max; the largest digit, or the largest of any slice
    int64_t g_step = 0;       ///< D_s, grid codes a level: from level 0 to `full` is the grid's span
    int64_t weight =
        1;  ///< v_s, of its column sums in the joined sum: 2^shift full / (what all `full` share)
};

/// Bits that an unsigned level takes.
inline int bits_of(int64_t level) { return static_cast<int>(std::bit_width(static_cast<uint64_t>(level))); }

/// Levels of a layer's weights, and of its cells. Real weights: q_max 1, one slice, `full` 1 (offset: 2).
struct LevelGrid {
    int64_t q_max = 127;                                ///< largest magnitude of a weight level
    std::vector<Slice> slices = std::vector<Slice>(1);  ///< the lowest digit first
    int64_t g_min = 0;                                  ///< G_min, grid code of level 0
    int64_t span = 0;                                   ///< M, grid codes from g_min to g_max
    int64_t joined_step = 0;  ///< L, grid codes that a weight level adds to a joined sum for one input code

    /// Digit `slice` of an unsigned whole level; with one slice the level itself, which may be real.
    double digit(double level, int slice) const {
        if (slices.size() == 1) return level;
        const Slice& s = slices[static_cast<size_t>(slice)];
        return static_cast<double>(static_cast<int64_t>(level) >> s.shift & ((int64_t{1} << s.bits) - 1));
    }
};

}  // namespace mho
