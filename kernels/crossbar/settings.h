// kernels/crossbar/settings.h - what is asked of crossbars, their devices and their converters: the tables
// [crossbar], [device] and [adc] of a config, handed as they are to the mapping and the backends.
// docs/physics.md sections 2 to 4; keys and ranges: host/config/keys.cc.
#pragma once

#include <cstdint>
#include <optional>

#include "kernels/adcs/adcs.h"
#include "kernels/crossbar/schemes.h"
#include "kernels/devices/devices.h"

namespace mho {

enum class Subtract { digital, analog };   // of the two polarities: after or before the ADC
enum class Reference { digital, column };  // what takes off the offset scheme's constant
enum class SliceBits { even, low_first };  // bits of slices: alike, or full from the lowest on
enum class SliceRange { own, common };     // at g_max: the largest level of each slice, or of all slices
enum class WeightScale { layer, column, network };  // extent of one weight scale
enum class BiasMode { digital, analog };            // added after the converter, or on rows of the array
enum class InputSign { phases, offset };            // how signed inputs are read
enum class Fill { even, packed };         // arrays: even to within one row or column, or full but the last
enum class StuckValue { rail, uniform };  // a stuck cell sits at g_min / g_max, or anywhere between
enum class AdcRange { max, calibrated, fixed };  // where lo and hi of a converter come from
enum class Granularity { layer, slice, tile, column };
enum class CalibrateOn { nominal, chip };

struct CrossbarSettings {
    int64_t rows = 256, columns = 256;  ///< of one array, cells
    Scheme scheme = Scheme::differential;
    Subtract subtract = Subtract::digital;
    Reference reference = Reference::digital;
    int64_t weight_bits = 8;  ///< with sign; 0: real weights
    int64_t cell_bits = 8;    ///< the most that a cell, that is, a slice holds
    SliceBits slice_bits = SliceBits::even;
    SliceRange slice_range = SliceRange::own;
    WeightScale scale = WeightScale::layer;
    std::optional<double> clip;  ///< percentile of |w| that the scale is; nothing: the largest
    BiasMode bias = BiasMode::digital;
    int64_t bias_rows = 1;             ///< of an analog bias
    int64_t input_bits = 8;            ///< 1 to 16
    std::optional<double> input_clip;  ///< percentile of |x| in calibration; nothing: the largest
    InputSign input_sign = InputSign::phases;
    int64_t dac_bits = 1;  ///< 1 to 8, bits a read step
    Fill fill = Fill::even;
    double headroom = 1.5;  ///< largest conductance over g_max

    /// Largest magnitude of a weight level; of real weights, 1.
    int64_t q_max() const { return weight_bits == 0 ? 1 : (int64_t{1} << (weight_bits - 1)) - 1; }
    /// Largest unsigned level that the cells of a weight hold together.
    int64_t largest_level() const { return description_of(scheme).largest_level(q_max()); }
    bool has_slices() const { return weight_bits > 0 && cell_bits < bits_of(largest_level()); }
};

struct DeviceSettings {
    double g_min = 0, g_max = 100;  ///< uS
    int64_t levels = 0;             ///< of the device; 0: as many as asked for
    ErrorKind error = ErrorKind::normal;
    double sigma = 0;  ///< where the kind is scaled by it: of g_max, of the target, or of ln g
    RelativeTo relative_to = RelativeTo::g_max;
    double stuck_low = 0, stuck_high = 0;  ///< probabilities
    StuckValue stuck_value = StuckValue::rail;
    double read_noise = 0;      ///< sigma_read(G) = read_noise G, a read
    ErrorSettings error_kinds;  ///< what single kinds ask for

    /// The kind of error that cells have: none where sigma is 0.
    ErrorKind effective_error() const {
        return description_of(error).scaled && sigma == 0 ? ErrorKind::none : error;
    }
};

struct AdcSettings {
    int64_t bits = 8;  ///< 0: ideal, the column sum itself is the code
    AdcType type = AdcType::uniform;
    AdcRange range = AdcRange::max;
    double low = 0, high = 0;  ///< fixed range, in units of one cell at g_max read with input 1
    double percentile = 100;   ///< calibrated range encloses the central `percentile` of the column sums
    Granularity granularity = Granularity::layer;
    CalibrateOn calibrate = CalibrateOn::nominal;
    double gain_sigma = 0;        ///< relative
    double offset_sigma = 0;      ///< in ADC steps
    double noise = 0;             ///< sigma_adc, in ADC steps
    int64_t columns_per_adc = 1;  ///< adjacent columns of one array that share a converter
    AdcTypeSettings types;        ///< what single types ask for
};

/// Everything that says how a layer lies on arrays and what these are like.
struct ArraySettings {
    CrossbarSettings crossbar;
    DeviceSettings device;
    AdcSettings adc;
};

}  // namespace mho
