// host/run/chips_to_run.h - which chips of a point are still to be run: all that were asked for, or with
// `until` as many as its interval needs.
#pragma once

#include <cstdint>
#include <vector>

#include "host/config/types.h"
#include "host/results/run.h"

namespace mho {

/// Part of a run: some chips of one of its points.
struct ChipsToRun {
    size_t point = 0;
    std::vector<uint32_t> chips;
};

/// Numbers of the chips to run next, 4,096 at most, up to the place where the point may stop: none where it
/// is done. `finished`: the point's chips so far, by number, each number once. Places to stop are counted
/// from the first chip, so a resumed point stops where an uninterrupted one does.
std::vector<uint32_t> next_chips(const std::vector<ChipResult>& finished, const MonteCarloConfig& wanted);

}  // namespace mho
