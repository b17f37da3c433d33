// kernels/crossbar/layer.h - one weight matrix as it lies on crossbar arrays: the plain data that
// host/mapping makes once and every backend programs and reads. Formulas: docs/physics.md sections 2 to 4.
#pragma once

#include <cstdint>
#include <vector>

namespace mho {

enum class Scheme { differential, balanced, offset };
enum class Subtract { digital, analog };         // of the two polarities: after or before the ADC
enum class Reference { digital, column };        // what takes off the offset scheme's constant
enum class InputSign { phases, offset };         // how signed inputs are read
enum class AdcRange { max, calibrated, fixed };  // where lo and hi of a converter come from
enum class Granularity { layer, slice, tile, column };
enum class ErrorKind { none, normal, uniform, lognormal };
enum class RelativeTo { g_max, target };
enum class StuckValue { rail, uniform };  // a stuck cell sits at g_min / g_max, or anywhere between

/// Errors of one cell; conductances on the grid (G units), physics.md section 3.
struct DeviceModel {
    ErrorKind error = ErrorKind::none;
    RelativeTo relative_to = RelativeTo::g_max;
    float sigma = 0;  ///< as configured: fraction of g_max or of the target; lognormal: of ln g
    float g_max = 0;  ///< G(u_max): grid code of the largest target
    float stuck_low = 0, stuck_high = 0;  ///< probabilities
    StuckValue stuck_value = StuckValue::rail;
    float read_noise = 0;  ///< sigma_read(G) = read_noise G, a read
};

/// How inputs become read steps.
struct InputCoding {
    int x_bits = 8;    ///< 1 to 16
    int dac_bits = 1;  ///< 1 to 8, bits a step
    InputSign sign = InputSign::phases;
    double clip_percentile = 100;  ///< of |x| in calibration: x_max; 100 is the largest
};

/// Converters of the layer.
struct AdcModel {
    int bits = 8;  ///< 0: ideal, the column sum itself is the code
    AdcRange range = AdcRange::max;
    Granularity granularity = Granularity::layer;
    double low = 0, high = 0;     ///< fixed range, in units of one cell at g_max read with input 1
    double percentile = 100;      ///< calibrated range encloses the central `percentile` of the column sums
    float noise = 0;              ///< sigma_adc, in ADC steps
    float gain_sigma = 0;         ///< relative
    float offset_sigma = 0;       ///< in ADC steps
    int64_t columns_per_adc = 1;  ///< adjacent columns of one array that share a converter
    bool calibrate_chip = false;  ///< ranges measured on each chip instead of the nominal one
};

/// One layer on crossbars. An array (tile) holds one (group, row tile, column tile, slice, polarity).
/// kernels/crossbar/draw_address.h numbers its cells, converters and reads. Rows are the K inputs, then the
/// bias rows.
struct CrossbarLayer {
    uint32_t layer = 0;  ///< index of the analog layer in the graph, < 2^24
    int64_t groups = 1;
    int64_t inputs = 0;                 ///< K, of one group
    int64_t outputs = 0;                ///< N, of one group
    int64_t bias_rows = 0;              ///< analog bias: rows after the K inputs, all driven alike
    std::vector<int64_t> row_begin;     ///< row tiles: RT + 1 boundaries over rows()
    std::vector<int64_t> column_begin;  ///< column tiles: CT + 1 boundaries over the N outputs

    Scheme scheme = Scheme::differential;
    Subtract subtract = Subtract::digital;
    Reference reference =
        Reference::digital;  ///< column: one reference column an array, columns N .. N + CT - 1
    int weight_bits = 8;     ///< 0: real weights
    int cell_bits = 8;       ///< bits a slice
    int slices = 1;          ///< S
    int q_max = 127;         ///< largest |q|; 1 with real weights
    int64_t g_min = 0;       ///< G_min, grid code of level 0
    int64_t g_step = 0;      ///< D, grid codes a level (the whole span with real weights)
    int u_max = 127;         ///< largest level of a cell; 1 (offset: 2) with real weights
    int64_t levels = 0;      ///< the device's own, evenly from G_min to G(u_max); 0: any

    /// Target grid code of every cell, in cell order. Bias rows hold the idle level: their targets come with
    /// the calibration, since the input scale decides them.
    std::vector<int16_t> target;
    /// Physical value of one level difference of one input LSB: w_scale / q_max, for each group and output.
    std::vector<float> weight_lsb;
    /// What one input code adds to every joined sum that is no weight: weight level zero over all slices,
    /// with Scheme::offset and a digital reference; else 0. Grid codes.
    int64_t code_offset = 0;
    /// What the K input rows add, over all slices and polarities, where every input is 1: offset inputs take
    /// it off. Grid codes, the reference column taken off where there is one; for each group and output.
    std::vector<int64_t> target_sum;
    /// Bias in the unit of the output, for each group and output; digital, or mapped to the bias rows.
    std::vector<float> bias;

    InputCoding input;
    DeviceModel device;
    AdcModel adc;

    int polarities() const { return scheme == Scheme::offset ? 1 : 2; }
    /// Conversions of one column pair: with analog subtraction the two polarities share one.
    int conversions() const { return scheme == Scheme::offset || subtract == Subtract::analog ? 1 : 2; }
    /// 1 for the first polarity, -1 for the second, which is taken off.
    static int sign_of(int polarity) { return polarity == 0 ? 1 : -1; }
    int64_t rows() const { return inputs + bias_rows; }
    int64_t row_tiles() const { return static_cast<int64_t>(row_begin.size()) - 1; }
    int64_t column_tiles() const { return static_cast<int64_t>(column_begin.size()) - 1; }
    /// The column tile that a column lies in, a reference column too.
    int64_t column_tile_of(int64_t column) const {
        if (column >= outputs) return column - outputs;
        int64_t tile = 0;
        while (column >= column_begin[static_cast<size_t>(tile + 1)]) ++tile;
        return tile;
    }
    int64_t columns() const { return outputs + (reference == Reference::column ? column_tiles() : 0); }
    /// columns() rounded up to whole Philox blocks of four, so that no block straddles two rows.
    int64_t pitch() const { return (columns() + 3) / 4 * 4; }
    int64_t cells() const { return groups * slices * polarities() * rows() * pitch(); }
};

}  // namespace mho
