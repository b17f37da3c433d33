// host/config/points.h - the points of a sweep.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/config/types.h"

namespace mho {

/// One point of the sweep: which keys it sets, and the whole config there.
struct SweepPoint {
    std::vector<std::pair<std::string, ConfigValue>> set;
    Config config;
};

/// All points: the cartesian product with the last key fastest, or, with zip, the keys side by side. Each is
/// checked as a whole.
std::vector<SweepPoint> sweep_points(const Config& config);

}  // namespace mho
