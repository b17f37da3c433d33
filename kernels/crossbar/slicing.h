// kernels/crossbar/slicing.h - the slices that hold a weight, as settings ask for them. docs/physics.md
// section 2.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/crossbar/settings.h"

namespace mho {

/// The slices of a weight, each with the level that lies at g_max, the lowest digit first; their steps and
/// weights come with the grid (host/chip/mapping.cc).
std::vector<Slice> slices_of(const CrossbarSettings& asked);

/// Levels that the scheme asks of a slice's cells, from g_min to g_max. 0: any (real weights).
int64_t levels_asked(const CrossbarSettings& asked, const Slice& slice);

}  // namespace mho
