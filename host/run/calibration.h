// host/run/calibration.h - the one pass over calibration images that fixes input scales, converter ranges and
// ReLU levels. docs/physics.md section 4: layer by layer on the nominal chip, so a layer sees what the layers
// before it, already quantised, deliver.
#pragma once

#include <atomic>
#include <cstdint>

#include "kernels/backend.h"

namespace mho {

struct CalibrationRun {
    const ImageStore& images;  ///< the first images of the training split, never test images
    int64_t count = 0;         ///< how many, >= 1
    int threads = 1;
    const std::atomic<bool>* stop = nullptr;  ///< once set, calibrating throws Stopped
};

/// Whoever asked for it wanted it no more: nothing is wrong, and nothing was made.
struct Stopped {};

/// Whether the plan has anything to calibrate.
bool needs_calibration(const Plan& plan);
/// Whether some layer's converter ranges are measured on each chip.
bool calibrates_on_chips(const Plan& plan);

/// Calibrates every crossbar layer and quantiser of `program` in the plan's order.
Calibration calibrate(const Program& program, const CalibrationRun& run);

/// `nominal` with the converter ranges measured again on the chip at `address`; input scales and ReLU levels
/// stay.
Calibration calibrate_chip(const Program& program, const Calibration& nominal, const ChipAddress& address,
                           const CalibrationRun& run);

}  // namespace mho
