// tests/oracle/crossbar_oracle.h - one layer on crossbars, mapped, programmed, calibrated and read slowly and
// obviously: nested loops over exact integers, one cell and one column at a time, and the converter's few
// float operations in the order that docs/physics.md states. Only single random draws come from the project.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mho::oracle {

/// A convolution's window along one axis of the image.
struct WindowAxis {
    int64_t kernel = 1, stride = 1, dilation = 1, pad_begin = 0, pad_end = 0;

    int64_t extent() const { return (kernel - 1) * dilation + 1; }
    /// Where along an axis of `size` pixels it can be.
    int64_t places(int64_t size) const { return (pad_begin + size + pad_end - extent()) / stride + 1; }
};

/// A convolution over images of channels x height x width, and how it lies on arrays. Names as in
/// docs/physics.md.
struct CrossbarCase {
    int64_t groups = 1, channels = 1, height = 1, width = 1;
    int64_t outputs = 1;  // over all groups
    WindowAxis down, across;
    std::vector<float> weight;  // outputs x channels/groups x down.kernel x across.kernel
    std::vector<float> bias;    // outputs, or empty

    int64_t array_rows = 256, array_columns = 256;
    bool packed = false;
    std::string scheme = "differential";
    bool subtract_analog = false, reference_column = false;
    int weight_bits = 8, cell_bits = 8;
    bool scale_per_column = false;
    int64_t bias_rows = 0;
    double headroom = 1.5, g_ratio = 0;
    int64_t levels = 0;
    int x_bits = 8, dac_bits = 1;
    bool offset_inputs = false;
    double input_clip = 100;

    std::string error = "none";  // normal, uniform, lognormal
    bool relative_to_target = false;
    float sigma = 0, stuck_low = 0, stuck_high = 0;
    bool stuck_anywhere = false;
    float read_noise = 0;

    int adc_bits = 8;
    std::string range = "max", granularity = "layer";
    double low = 0, high = 0, percentile = 100;
    float adc_noise = 0, gain_sigma = 0, offset_sigma = 0;
    int64_t columns_per_adc = 1;

    uint64_t seed = 1;
    uint32_t chip = 0, layer = 0;
};

/// What a chip does; axes as in kernels/crossbar/calibration.h's CrossbarTrace, for all images.
struct CrossbarOutcome {
    int64_t places = 0, phases = 0, steps = 0, row_tiles = 0, slices = 0, polarities = 0, conversions = 0,
            columns = 0;
    std::vector<int32_t> input;        // [group][image][place][row]
    std::vector<int16_t> conductance;  // [group][slice][polarity][row][column]
    std::vector<int64_t> column_sum,
        code;                     // [group][image][place][phase][step][row tile][slice][conversion][column]
    std::vector<int64_t> joined;  // [group][image][place][column]; empty where ranges differ
    std::vector<float> output;    // [image][place][group][column]
    int64_t clipped = 0, stuck = 0;
};

/// `calibration`, `images`: channels x height x width each. `first_image`: index of the first of `images`.
CrossbarOutcome read_chip(const CrossbarCase& c, const std::vector<float>& calibration,
                          const std::vector<float>& images, int64_t first_image);

}  // namespace mho::oracle
