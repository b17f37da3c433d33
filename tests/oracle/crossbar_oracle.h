// tests/oracle/crossbar_oracle.h - one layer on crossbars, mapped, programmed, calibrated and read slowly and
// obviously: nested loops over exact integers, one cell and one column at a time, and the converter's few
// float operations in the order that docs/physics.md states. Only single random draws, and the words in which
// a layer is asked for, come from the project.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/crossbar/settings.h"

namespace mho::oracle {

/// A convolution's window along one axis of the image.
struct WindowAxis {
    int64_t kernel = 1, stride = 1, dilation = 1, pad_begin = 0, pad_end = 0;

    int64_t extent() const { return (kernel - 1) * dilation + 1; }
    /// Where along an axis of `size` pixels it can be.
    int64_t positions(int64_t size) const { return (pad_begin + size + pad_end - extent()) / stride + 1; }
};

/// A convolution over images of channels x height x width, and how it lies on arrays.
struct CrossbarCase : ArraySettings {
    int64_t groups = 1, channels = 1, height = 1, width = 1;
    int64_t outputs = 1;  // over all groups
    WindowAxis down, across;
    std::vector<float> weight;  // outputs x channels/groups x down.kernel x across.kernel
    std::vector<float> bias;    // outputs, or empty

    uint64_t seed = 1;
    uint32_t chip = 0, layer = 0;

    int64_t bias_rows() const {
        return bias.empty() || crossbar.bias == BiasMode::digital ? 0 : crossbar.bias_rows;
    }
};

/// What a chip does; axes as in kernels/crossbar/calibration.h's CrossbarTrace, for all images.
struct CrossbarOutcome {
    int64_t positions = 0, phases = 0, steps = 0, row_tiles = 0, slices = 0, polarities = 0, conversions = 0,
            columns = 0;
    std::vector<int32_t> input;        // [group][image][position][row]
    std::vector<int16_t> conductance;  // [group][slice][polarity][row][column]
    std::vector<int64_t> column_sum,
        code;  // [group][image][position][phase][step][row tile][slice][conversion][column]
    std::vector<int64_t> joined;  // [group][image][position][column]; empty where ranges differ
    std::vector<float> output;    // [image][position][group][column]
    int64_t clipped = 0, stuck = 0;
};

/// `calibration`, `images`: channels x height x width each. `first_image`: index of the first of `images`.
CrossbarOutcome read_chip(const CrossbarCase& c, const std::vector<float>& calibration,
                          const std::vector<float>& images, int64_t first_image);

}  // namespace mho::oracle
