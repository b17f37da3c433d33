// kernels/crossbar/levels.h - from signed weight levels to the target conductances of a layer's cells.
// docs/physics.md section 2.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/base/chip_address.h"
#include "kernels/crossbar/calibration.h"
#include "kernels/crossbar/draw_address.h"
#include "kernels/crossbar/layer.h"

namespace mho {

/// Levels that the scheme asks of a cell. 0: any (real weights).
inline int64_t levels_asked(const CrossbarLayer& l) {
    if (l.has_real_weights()) return 0;
    return description_of(l.crossbar.scheme).half_levels ? 2 * l.grid.u_max + 1 : l.grid.u_max + 1;
}

/// Grid code of level u in [0, u_max], which need not be whole; rounded to the device's own levels where it
/// has fewer than the scheme asks for.
inline int64_t level_conductance(const CrossbarLayer& l, double u) {
    const int64_t levels = l.device.levels;
    if (levels > 0 && (levels_asked(l) == 0 || levels < levels_asked(l))) {
        const double steps = static_cast<double>(levels - 1), u_max = static_cast<double>(l.grid.u_max);
        u = std::rint(u * steps / u_max) * u_max / steps;
    }
    return l.g_min + static_cast<int64_t>(std::rint(u * static_cast<double>(l.g_step)));
}

/// Target of one cell of a weight with signed level q, |q| <= q_max.
inline int64_t cell_target(const CrossbarLayer& l, double q, int slice, int polarity) {
    return level_conductance(l, description_of(l.crossbar.scheme).level(l.grid, q, slice, polarity));
}

/// Target of the reference column (Reference::column): weight level zero.
inline int64_t reference_target(const CrossbarLayer& l, int slice) { return cell_target(l, 0, slice, 0); }

/// What digit `slice` of a weight counts for: 2^(slice cell_bits).
inline int64_t slice_weight(const CrossbarLayer& l, int slice) {
    return int64_t{1} << (l.slices() == 1 ? 0 : slice * l.crossbar.cell_bits);
}

/// What a weight adds to the joined sum for one input code: over slices and polarities, the reference taken
/// off.
inline int64_t joined_target(const CrossbarLayer& l, double q) {
    int64_t sum = 0;
    for (int s = 0; s < l.slices(); ++s) {
        for (int p = 0; p < l.polarities(); ++p)
            sum += slice_weight(l, s) * CrossbarLayer::sign_of(p) * cell_target(l, q, s, p);
        if (l.has_reference_column()) sum -= slice_weight(l, s) * reference_target(l, s);
    }
    return sum;
}

/// What decides the cells of a chip: they are kept where neither has changed.
struct CellsOnChip {
    ChipAddress address;
    std::vector<int32_t> bias_level;

    bool operator==(const CellsOnChip&) const = default;
};

/// Cells that arrays hold, reference columns and bias rows too.
inline int64_t cells_on_arrays(const CrossbarLayer& l) {
    return l.groups * l.slices() * l.polarities() * l.rows() * l.columns();
}

/// The layer's targets, bias rows at the levels that calibration chose.
inline std::vector<int16_t> targets_with_bias(const CrossbarLayer& l, const CrossbarCalibration& c) {
    std::vector<int16_t> cells = l.target;
    if (c.bias_level.empty()) return cells;
    for_each_array(l, [&](int64_t g, int s, int p) {
        for (int64_t row = l.inputs; row < l.rows(); ++row)
            for (int64_t column = 0; column < l.outputs; ++column) {
                const int32_t q = c.bias_level[static_cast<size_t>(g * l.outputs + column)];
                cells[cell_element(draw_extents(l), g, s, p, row, column)] =
                    static_cast<int16_t>(cell_target(l, q, s, p));
            }
    });
    return cells;
}

}  // namespace mho
