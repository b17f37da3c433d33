// host/chip/ranges.h - what calibration adds to a layer on crossbars: its input scale, bias rows and
// converter ranges. docs/physics.md sections 2 and 4.
#pragma once

#include "kernels/crossbar/calibration.h"
#include "kernels/crossbar/layer.h"

namespace mho {

/// Fixes the input scale from what reached the layer, and with it the bias rows.
void set_input_scale(const CrossbarLayer& layer, const InputHistogram& inputs,
                     CrossbarCalibration& calibration);

/// Fixes the converter ranges; `sums` is looked at only where the range is calibrated.
void set_converter_ranges(const CrossbarLayer& layer, const ColumnHistograms& sums,
                          CrossbarCalibration& calibration);

}  // namespace mho
