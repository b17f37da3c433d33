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

/// A conductance before it is cut to [0, kGridMax] and rounded, in grid codes. `n`: N(0,1), or uniform in
/// (-1,1) for ErrorKind::uniform. `sigma`: device.sigma times g_max in grid codes where relative to g_max,
/// else device.sigma.
MHO_FORMULA float deviated(const DeviceModel& device, float sigma, float target, float n) {
    if (device.error == ErrorKind::lognormal) return target * exp_of(sigma * n);
    if (device.relative_to == RelativeTo::target) return fmaf(sigma * target, n, target);
    return fmaf(sigma, n, target);
}

/// Cut to what a cell can hold and rounded to the grid.
MHO_FORMULA int16_t on_grid(float g) { return static_cast<int16_t>(rintf(fminf(fmaxf(g, 0.0f), kGridMax))); }

MHO_FORMULA bool is_clipped(float g) { return g < 0.0f || g > kGridMax; }

/// sigma as `deviated` takes it.
inline float grid_sigma(const DeviceModel& device) {
    const bool of_g_max = device.relative_to == RelativeTo::g_max && device.error != ErrorKind::lognormal;
    return of_g_max ? device.sigma * device.g_max : device.sigma;
}

/// A stuck cell: which of all words w of Domain::fault make one. low: w < low; high: w >= 2^32 - high.
struct FaultThresholds {
    uint64_t low = 0, high = 0;  ///< probability times 2^32
};

inline bool has_faults(const DeviceModel& device) { return device.stuck_low > 0 || device.stuck_high > 0; }

inline FaultThresholds fault_thresholds(const DeviceModel& device) {
    return {static_cast<uint64_t>(static_cast<double>(device.stuck_low) * 0x1p32),
            static_cast<uint64_t>(static_cast<double>(device.stuck_high) * 0x1p32)};
}

/// Where a stuck cell sits, in grid codes: at g_min or g_max, or between them by a word of
/// Domain::fault_value.
MHO_FORMULA int16_t stuck_conductance(const DeviceModel& device, float g_min, bool high,
                                      uint32_t value_word) {
    if (device.stuck_value == StuckValue::rail) return static_cast<int16_t>(high ? device.g_max : g_min);
    return on_grid(fmaf(unit_of_word(value_word), device.g_max - g_min, g_min));
}

/// A cell as programming leaves it.
struct ProgrammedCell {
    int16_t g;  ///< grid code
    bool clipped, stuck;
};

/// docs/physics.md section 3, steps 1, 2 and 5. `sigma`: grid_sigma(device); `n`: the draw that `deviated`
/// takes; `fault`, `fault_value`: the cell's words of those domains.
MHO_FORMULA ProgrammedCell programmed_cell(const DeviceModel& device, float sigma,
                                           const FaultThresholds& faults, float g_min, float target, float n,
                                           uint32_t fault, uint32_t fault_value) {
    const bool low = fault < faults.low, high = fault >= (uint64_t{1} << 32) - faults.high;
    if (low || high) return {stuck_conductance(device, g_min, high, fault_value), false, true};
    if (device.error == ErrorKind::none) return {static_cast<int16_t>(target), false, false};
    const float g = deviated(device, sigma, target, n);
    return {on_grid(g), is_clipped(g), false};
}

/// Read variance of a cell on its own integer grid: G^2 / 2^15, at most 32766.
MHO_FORMULA int16_t read_variance(int16_t g) {
    return static_cast<int16_t>((static_cast<int32_t>(g) * static_cast<int32_t>(g) + (1 << 14)) >> 15);
}

inline float read_noise_factor(const DeviceModel& device) {
    return device.read_noise * 181.019336f;  // sqrt(2^15)
}

/// Read noise of one column sum, in whole grid codes. `variance`: sum x^2 read_variance; `n`: N(0,1).
MHO_FORMULA float read_noise(float variance, float factor, float n) {
    return rintf(sqrtf(variance) * factor * n);
}

}  // namespace mho
