// kernels/steps/pad_source.h - where the elements of a padded axis come from.
#pragma once

#include <cstdint>

#include "kernels/base/host_device.h"
#include "kernels/steps/ops.h"

namespace mho {

/// The index on an axis of `extent` from which index i, counted from its first element, is copied: -1 for the
/// constant.
MHO_HD inline int64_t pad_source(PadMode mode, int64_t i, int64_t extent) {
    if (i >= 0 && i < extent) return i;
    if (mode == PadMode::constant) return -1;
    if (mode == PadMode::edge) return i < 0 ? 0 : extent - 1;
    if (extent == 1) return 0;
    const int64_t period = 2 * (extent - 1), way = ((i % period) + period) % period;
    return way < extent ? way : period - way;
}

}  // namespace mho
