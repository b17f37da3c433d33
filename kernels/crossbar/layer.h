// kernels/crossbar/layer.h - one weight matrix as it lies on crossbar arrays: the plain data that
// host/chip/mapping makes once and every backend programs and reads. Formulas: docs/physics.md sections 2
// to 4.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/crossbar/settings.h"

namespace mho {

/// One layer on crossbars. An array (tile) holds one (group, row tile, column tile, slice, polarity).
/// kernels/crossbar/draw_address.h numbers its cells, converters and reads. Rows are the K inputs, then the
/// bias rows.
struct CrossbarLayer : ArraySettings {
    uint32_t layer = 0;  ///< index of the analog layer in the graph, < 2^24
    int64_t groups = 1;
    int64_t inputs = 0;                 ///< K, of one group
    int64_t outputs = 0;                ///< N, of one group
    int64_t bias_rows = 0;              ///< analog bias: rows after the K inputs, all driven alike
    std::vector<int64_t> row_begin;     ///< row tiles: RT + 1 boundaries over rows()
    std::vector<int64_t> column_begin;  ///< column tiles: CT + 1 boundaries over the N outputs

    LevelGrid grid;

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

    bool has_real_weights() const { return crossbar.weight_bits == 0; }
    /// Grid code of the largest target.
    int64_t g_max() const { return grid.g_min + grid.span; }

    int slices() const { return static_cast<int>(grid.slices.size()); }
    const Slice& slice(int s) const { return grid.slices[static_cast<size_t>(s)]; }
    int polarities() const { return description_of(crossbar.scheme).polarities; }
    /// Whether the two polarities are subtracted before the ADC: then they share one conversion.
    bool subtracts_before_adc() const { return polarities() == 2 && crossbar.subtract == Subtract::analog; }
    /// Conversions of one column, of both polarities.
    int conversions() const { return subtracts_before_adc() ? 1 : polarities(); }
    /// 1 for the first polarity, -1 for the second, which is taken off.
    static int sign_of(int polarity) { return polarity == 0 ? 1 : -1; }

    int64_t rows() const { return inputs + bias_rows; }
    int64_t row_tiles() const { return static_cast<int64_t>(row_begin.size()) - 1; }
    int64_t rows_of_tile(int64_t tile) const {
        return row_begin[static_cast<size_t>(tile + 1)] - row_begin[static_cast<size_t>(tile)];
    }
    int64_t largest_row_tile() const {
        int64_t largest = 0;
        for (int64_t t = 0; t < row_tiles(); ++t) largest = std::max(largest, rows_of_tile(t));
        return largest;
    }

    bool has_reference_column() const { return crossbar.reference == Reference::column; }
    int64_t column_tiles() const { return static_cast<int64_t>(column_begin.size()) - 1; }
    /// The column tile that a column lies in, a reference column too.
    int64_t column_tile_of(int64_t column) const {
        if (column >= outputs) return column - outputs;
        int64_t tile = 0;
        while (column >= column_begin[static_cast<size_t>(tile + 1)]) ++tile;
        return tile;
    }
    /// The reference column of an output: one an array, columns N .. N + CT - 1.
    int64_t reference_of(int64_t column) const { return outputs + column_tile_of(column); }
    int64_t columns() const { return outputs + (has_reference_column() ? column_tiles() : 0); }
    /// columns() rounded up to whole Philox blocks of four, so that no block straddles two rows.
    int64_t pitch() const { return (columns() + 3) / 4 * 4; }
    int64_t cells() const { return groups * slices() * polarities() * rows() * pitch(); }
    /// Physical arrays that the layer takes.
    int64_t arrays() const { return groups * row_tiles() * column_tiles() * slices() * polarities(); }
    /// The largest number that one read step can drive a row with.
    int64_t largest_part() const { return (int64_t{1} << crossbar.dac_bits) - 1; }
};

/// Calls each(group, slice, polarity) for every array of cells, in cell order.
template <class Each>
void for_each_array(const CrossbarLayer& l, const Each& each) {
    for (int64_t g = 0; g < l.groups; ++g)
        for (int s = 0; s < l.slices(); ++s)
            for (int p = 0; p < l.polarities(); ++p) each(g, s, p);
}

/// Calls each(slice, conversion) for every conversion of one row tile, in the order of joining.
template <class Each>
void for_each_conversion(const CrossbarLayer& l, const Each& each) {
    for (int s = 0; s < l.slices(); ++s)
        for (int p = 0; p < l.conversions(); ++p) each(s, p);
}

}  // namespace mho
