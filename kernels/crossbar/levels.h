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
#include "kernels/crossbar/slicing.h"

namespace mho {

/// Grid code of level u of a slice, which need not be whole; rounded to the device's own levels where it has
/// fewer than the scheme asks for.
inline int64_t level_conductance(const CrossbarLayer& l, double u, int slice) {
    const int64_t levels = l.device.levels, asked = levels_asked(l.crossbar, l.slice(slice));
    if (levels > 0 && (asked == 0 || levels < asked)) {
        const double steps = static_cast<double>(levels - 1), full = static_cast<double>(l.slice(slice).full);
        u = std::rint(u * steps / full) * full / steps;
    }
    return l.grid.g_min + static_cast<int64_t>(std::rint(u * static_cast<double>(l.slice(slice).g_step)));
}

/// Target of one cell of a weight with signed level q, |q| <= q_max.
inline int64_t cell_target(const CrossbarLayer& l, double q, int slice, int polarity) {
    const double level = description_of(l.crossbar.scheme).level(l.grid, q, slice, polarity);
    return level_conductance(l, level, slice);
}

/// Target of the reference column (Reference::column): weight level zero.
inline int64_t reference_target(const CrossbarLayer& l, int slice) { return cell_target(l, 0, slice, 0); }

/// What a weight adds to the joined sum for one input code: over slices and polarities, the reference taken
/// off.
inline int64_t joined_target(const CrossbarLayer& l, double q) {
    int64_t sum = 0;
    for (int s = 0; s < l.slices(); ++s) {
        for (int p = 0; p < l.polarities(); ++p)
            sum += l.slice(s).weight * CrossbarLayer::sign_of(p) * cell_target(l, q, s, p);
        if (l.has_reference_column()) sum -= l.slice(s).weight * reference_target(l, s);
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
