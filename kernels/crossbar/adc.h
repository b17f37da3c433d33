// kernels/crossbar/adc.h - one converter: from a column sum to a code. docs/physics.md section 4.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/base/chip_address.h"
#include "kernels/base/host_device.h"
#include "kernels/crossbar/calibration.h"
#include "kernels/crossbar/draw_address.h"
#include "kernels/crossbar/layer.h"

namespace mho {

/// Which converter range a column uses. Phases and steps always share one; with analog subtraction there is
/// one conversion a pair of polarities, and `polarity` is 0.
inline int64_t range_index(const CrossbarLayer& l, int64_t group, int64_t row_tile, int64_t slice,
                           int64_t polarity, int64_t column) {
    const int64_t conversions = l.conversions();
    switch (l.adc.granularity) {
        case Granularity::layer:
            return 0;
        case Granularity::slice:
            return slice;
        case Granularity::tile:
            return (((group * l.row_tiles() + row_tile) * l.column_tiles() + l.column_tile_of(column)) *
                        l.slices() +
                    slice) *
                       conversions +
                   polarity;
        case Granularity::column:
            return (((group * l.row_tiles() + row_tile) * l.slices() + slice) * conversions + polarity) *
                       l.columns() +
                   column;
    }
    return 0;
}

inline int64_t range_count(const CrossbarLayer& l) {
    const int64_t tiles = l.groups * l.row_tiles() * l.slices() * l.conversions();
    switch (l.adc.granularity) {
        case Granularity::layer:
            return 1;
        case Granularity::slice:
            return l.slices();
        case Granularity::tile:
            return tiles * l.column_tiles();
        case Granularity::column:
            return tiles * l.columns();
    }
    return 1;
}

/// Histograms, without counts, for the column sums of a chip on which no sum is larger than `largest_sum`.
inline ColumnHistograms column_histograms(const CrossbarLayer& l, int64_t largest_sum) {
    return {l.subtracts_before_adc() ? -largest_sum : 0, largest_sum};
}

/// The first column that shares a converter with `column`; a reference column has one of its own.
inline int64_t first_of_converter(const CrossbarLayer& l, int64_t column) {
    if (column >= l.outputs) return column;
    const int64_t tile_begin = l.column_begin[static_cast<size_t>(l.column_tile_of(column))];
    return tile_begin + (column - tile_begin) / l.adc.columns_per_adc * l.adc.columns_per_adc;
}

/// Whether codes are the column sums themselves: there is no converter, or the chip is the nominal one.
inline bool has_ideal_converters(const CrossbarLayer& l, const ChipAddress& address) {
    return l.adc.bits == 0 || address.nominal;
}

inline AdcModel adc_model(const CrossbarLayer& l) {
    return {l.adc.type, l.adc.types, static_cast<int>(l.adc.bits)};
}

/// One converter on one chip.
struct Converter {
    float a = 0, b = 0;        ///< v = fmaf(sum, a, b), in ADC steps
    Strided<const float> own;  ///< the numbers of its type

    /// A column sum in ADC steps, before it becomes a code.
    MHO_FORMULA float steps(float sum) const { return fmaf(sum, a, b); }
    /// With noise: sigma_adc, in ADC steps, times a draw n in N(0,1).
    MHO_FORMULA float steps(float sum, float sigma_adc, float n) const {
        return fmaf(sigma_adc, n, steps(sum));
    }
};

/// lo, step: grid units; gain: relative; offset: ADC steps. Its own numbers are made apart: AdcModel::make.
MHO_FORMULA Converter make_converter(float lo, float step, float gain, float offset) {
    const float a = (1.0f + gain) / step;
    return {a, offset - lo * a, {}};
}

/// All converters of a layer on one chip, in converter order: each kind of number apart, so that those of
/// neighbouring columns lie side by side.
struct Converters {
    const float *a = nullptr, *b = nullptr, *own = nullptr;
    int64_t count = 0;  ///< from one of a converter's own numbers to the next

    MHO_FORMULA Converter operator[](int64_t element) const {
        return {a[element], b[element], {own, element, count}};
    }
};

/// From converter order to that of CrossbarTrace::converters.
inline ConverterNumbers in_trace_order(const CrossbarLayer& l, const ConverterNumbers& all) {
    ConverterNumbers t;
    const size_t elements = all.a.size();
    for_each_converter(l, [&](int64_t, int64_t, int, int, int64_t, size_t element) {
        t.a.push_back(all.a[element]);
        t.b.push_back(all.b[element]);
    });
    for (size_t first = 0; first < all.own.size(); first += elements)
        for_each_converter(l, [&](int64_t, int64_t, int, int, int64_t, size_t element) {
            t.own.push_back(all.own[first + element]);
        });
    return t;
}

/// The draws of one converter's own numbers: draw k is element k count + first of Domain::converter_numbers.
/// `first`: the element of the first column that it serves.
MHO_HD inline uint64_t converter_number_element(int64_t k, int64_t count, int64_t first) {
    return static_cast<uint64_t>(k * count + first);
}

}  // namespace mho
