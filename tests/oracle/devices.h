// tests/oracle/devices.h - every kind of programming error, slowly and by its formula in docs/physics.md
// section 3: a row a kind. A kind without a row fails ListedKinds in devices_test.cc, and every kind with one
// is tried on every backend. A reference for tests only.
#pragma once

#include <functional>
#include <vector>

#include "kernels/crossbar/settings.h"

namespace mho::oracle {

/// One number evenly between two.
using Drawn = std::function<double(double low, double high)>;

struct DeviceOracle {
    ErrorKind kind;
    Draw draw;
    /// Conductance in grid codes before it is cut, in float32 as the page orders it. `g_max`: grid code of
    /// the largest target.
    float (*programmed)(const DeviceSettings&, float g_max, float target, float n);
    /// What a test asks of the kind, at random: sizes of errors from none to a third of g_max.
    void (*choose)(DeviceSettings&, const Drawn&);
    /// Probability that a cell of target `target`, of a window up to 1, is programmed to at most `g`.
    double (*distribution)(const DeviceSettings&, double target, double g);
};

const std::vector<DeviceOracle>& device_oracles();
/// Throws std::logic_error where the kind has no row.
const DeviceOracle& device_oracle(ErrorKind kind);

}  // namespace mho::oracle
