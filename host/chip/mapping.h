// host/chip/mapping.h - a weight matrix laid onto crossbar arrays, and what calibration adds to it.
// docs/physics.md section 2. To add a scheme: its cell levels in kernels/crossbar/levels.h, its digital step
// in kernels/crossbar/joining.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "kernels/crossbar/calibration.h"
#include "kernels/crossbar/layer.h"

namespace mho {

/// How a layer is mapped. Keys of [crossbar], [device] and [adc] in docs/architecture.md.
struct MappingOptions {
    int64_t rows = 256, columns = 256;  ///< of one array, cells
    bool packed = false;  ///< arrays full but the last, else balanced to within one row or column
    Scheme scheme = Scheme::differential;
    Subtract subtract = Subtract::digital;
    Reference reference = Reference::digital;
    int weight_bits = 8;  ///< 0: real weights
    int cell_bits = 8;
    bool scale_per_column = false;        ///< else one weight scale a layer
    std::optional<double> network_scale;  ///< one weight scale for all layers: this one
    std::optional<double> clip;           ///< percentile of |w| that the scale is; nothing: the largest |w|
    int64_t bias_rows = 0;                ///< analog bias on so many rows; 0: digital
    double headroom = 1.5;                ///< largest conductance over g_max
    double g_ratio = 0;                   ///< g_min / g_max, in [0, 1)
    int64_t levels = 0;                   ///< of the device; 0: as many as asked for
    InputCoding input;
    DeviceModel device;  ///< g_max is filled in by the mapping
    AdcModel adc;
};

/// Weights of one layer: groups x outputs x inputs, row-major; bias: groups x outputs, or empty.
struct WeightMatrix {
    std::span<const float> weight, bias;
    int64_t groups = 1, inputs = 0, outputs = 0;  ///< of one group
    uint32_t layer = 0;                           ///< keys its random draws
    std::string name;                             ///< for messages
};

/// The extent that w_scale must cover: the largest |w|, or its percentile.
double weight_extent(std::span<const float> weight, const std::optional<double>& clip);

/// Throws InputError naming the layer where the grid cannot hold the levels asked for.
void check_grid(const MappingOptions& options, const std::string& layer_name);

/// Throws as check_grid does.
CrossbarLayer map_crossbar(const WeightMatrix& matrix, const MappingOptions& options);

/// Fixes the input scale from what reached the layer, and with it the bias rows.
void set_input_scale(const CrossbarLayer& layer, const InputHistogram& inputs,
                     CrossbarCalibration& calibration);

/// Fixes the converter ranges; `sums` is looked at only where the range is calibrated.
void set_converter_ranges(const CrossbarLayer& layer, const ColumnHistograms& sums,
                          CrossbarCalibration& calibration);

}  // namespace mho
