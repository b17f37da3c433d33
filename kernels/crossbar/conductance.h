// kernels/crossbar/conductance.h - one cell: from its target to what one programming pass leaves in it, on
// the integer grid. docs/physics.md sections 2 and 3.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/base/elementary.h"
#include "kernels/base/host_device.h"
#include "kernels/base/normal.h"
#include "kernels/crossbar/layer.h"

namespace mho {

/// The largest grid code: headroom * g_max.
inline constexpr float kGridMax = 32767.0f;

/// Cut to what a cell can hold and rounded to the grid.
MHO_FORMULA int16_t on_grid(float g) { return static_cast<int16_t>(rintf(cut(g, 0.0f, kGridMax))); }

MHO_FORMULA bool is_clipped(float g) { return g < 0.0f || g > kGridMax; }

/// Which of all words w of Domain::fault make a stuck cell. low: w < low; high: w >= 2^32 - high.
struct FaultThresholds {
    uint64_t low = 0, high = 0;  ///< probability times 2^32
};

/// What one programming pass does to the cells of a layer, in grid codes. Plain: passed to kernels.
struct CellModel {
    ProgrammingError error;
    FaultThresholds faults;
    StuckValue stuck_value = StuckValue::rail;
    float g_min = 0, g_max = 0;

    MHO_HD bool has_faults() const { return faults.low + faults.high > 0; }
};

inline CellModel cell_model(const CrossbarLayer& l) {
    const DeviceSettings& d = l.device;
    const auto threshold = [](double probability) {
        return static_cast<uint64_t>(static_cast<double>(static_cast<float>(probability)) * 0x1p32);
    };
    const float g_max = static_cast<float>(l.g_max());
    const DeviceGrid grid{g_max, d.g_max / static_cast<double>(l.g_max())};
    return {{d.effective_error(), {static_cast<float>(d.sigma), d.relative_to}, d.error_kinds, grid},
            {threshold(d.stuck_low), threshold(d.stuck_high)},
            d.stuck_value,
            static_cast<float>(l.grid.g_min),
            g_max};
}

/// Where a stuck cell sits, in grid codes: at g_min or g_max, or between them by a word of
/// Domain::fault_value.
MHO_FORMULA int16_t stuck_conductance(const CellModel& m, bool high, uint32_t value_word) {
    if (m.stuck_value == StuckValue::rail) return static_cast<int16_t>(high ? m.g_max : m.g_min);
    return on_grid(fmaf(unit_of_word(value_word), m.g_max - m.g_min, m.g_min));
}

/// A cell as programming leaves it.
struct ProgrammedCell {
    int16_t g;  ///< grid code
    bool clipped, stuck;
};

/// docs/physics.md section 3, steps 1, 2 and 5. `n`: the draw of the kind of error; `fault`, `fault_value`:
/// the cell's words of those domains.
MHO_FORMULA ProgrammedCell programmed_cell(const CellModel& m, float target, float n, uint32_t fault,
                                           uint32_t fault_value) {
    const bool low = fault < m.faults.low, high = fault >= (uint64_t{1} << 32) - m.faults.high;
    if (low || high) return {stuck_conductance(m, high, fault_value), false, true};
    const float g = m.error.deviated(target, n);
    return {on_grid(g), is_clipped(g), false};
}

/// Read variance of a cell on its own integer grid: G^2 / 2^15, at most 32766.
MHO_FORMULA int16_t read_variance(int16_t g) {
    return static_cast<int16_t>((static_cast<int32_t>(g) * static_cast<int32_t>(g) + (1 << 14)) >> 15);
}

inline float read_noise_factor(const CrossbarLayer& l) {
    return static_cast<float>(l.device.read_noise) * 181.019336f;  // sqrt(2^15)
}

/// Read noise of one column sum, in whole grid codes. `variance`: sum x^2 read_variance; `n`: N(0,1).
MHO_FORMULA float read_noise(float variance, float factor, float n) {
    return rintf(sqrtf(variance) * factor * n);
}

}  // namespace mho
