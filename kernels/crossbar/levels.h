// kernels/crossbar/levels.h - from signed weight levels to the target conductances of a layer's cells.
// docs/physics.md section 2.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/crossbar/layer.h"

namespace mho {

/// Levels that the scheme asks of a cell: half steps around the middle with Scheme::balanced. 0: any (real
/// weights).
inline int64_t levels_asked(const CrossbarLayer& l) {
    if (l.weight_bits == 0) return 0;
    return l.scheme == Scheme::balanced ? 2 * l.u_max + 1 : l.u_max + 1;
}

/// Grid code of level u in [0, u_max], which need not be whole; rounded to the device's own levels where it
/// has fewer than the scheme asks for.
inline int64_t level_conductance(const CrossbarLayer& l, double u) {
    if (l.levels > 0 && (levels_asked(l) == 0 || l.levels < levels_asked(l))) {
        const double steps = static_cast<double>(l.levels - 1), u_max = static_cast<double>(l.u_max);
        u = std::rint(u * steps / u_max) * u_max / steps;
    }
    return l.g_min + static_cast<int64_t>(std::rint(u * static_cast<double>(l.g_step)));
}

/// Digit `slice` of an unsigned whole level, base 2^cell_bits; with one slice the level itself.
inline double slice_digit(const CrossbarLayer& l, double level, int slice) {
    if (l.slices == 1) return level;
    return static_cast<double>((static_cast<int64_t>(level) >> (slice * l.cell_bits)) &
                               ((int64_t{1} << l.cell_bits) - 1));
}

/// Target of one cell of a weight with signed level q, |q| <= q_max.
inline int64_t cell_target(const CrossbarLayer& l, double q, int slice, int polarity) {
    switch (l.scheme) {
        case Scheme::offset:
            return level_conductance(l, slice_digit(l, q + l.q_max, slice));
        case Scheme::differential:
            return level_conductance(l, slice_digit(l, std::fmax(polarity == 0 ? q : -q, 0.0), slice));
        case Scheme::balanced: {
            // Both cells half a level away from the middle for each level of the weight, in opposite
            // directions.
            const double digit = std::copysign(slice_digit(l, std::fabs(q), slice), q);
            return level_conductance(l, (l.u_max + (polarity == 0 ? digit : -digit)) / 2);
        }
    }
    return 0;
}

/// Target of the reference column (Reference::column): weight level zero.
inline int64_t reference_target(const CrossbarLayer& l, int slice) { return cell_target(l, 0, slice, 0); }

/// What a weight adds to the joined sum for one input code: over slices and polarities, the reference taken
/// off.
inline int64_t joined_target(const CrossbarLayer& l, double q) {
    int64_t sum = 0;
    for (int s = 0; s < l.slices; ++s) {
        const int64_t base = int64_t{1} << (s * l.cell_bits);
        for (int p = 0; p < l.polarities(); ++p)
            sum += base * CrossbarLayer::sign_of(p) * cell_target(l, q, s, p);
        if (l.reference == Reference::column) sum -= base * reference_target(l, s);
    }
    return sum;
}

}  // namespace mho
