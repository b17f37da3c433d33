// kernels/crossbar/adc.h - one converter: from a column sum to a code. docs/physics.md section 4.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/base/host_device.h"
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
                        l.slices +
                    slice) *
                       conversions +
                   polarity;
        case Granularity::column:
            return (((group * l.row_tiles() + row_tile) * l.slices + slice) * conversions + polarity) *
                       l.columns() +
                   column;
    }
    return 0;
}

inline int64_t range_count(const CrossbarLayer& l) {
    const int64_t tiles = l.groups * l.row_tiles() * l.slices * l.conversions();
    switch (l.adc.granularity) {
        case Granularity::layer:
            return 1;
        case Granularity::slice:
            return l.slices;
        case Granularity::tile:
            return tiles * l.column_tiles();
        case Granularity::column:
            return tiles * l.columns();
    }
    return 1;
}

/// The first column that shares a converter with `column`; a reference column has one of its own.
inline int64_t first_of_converter(const CrossbarLayer& l, int64_t column) {
    if (column >= l.outputs) return column;
    const int64_t tile_begin = l.column_begin[static_cast<size_t>(l.column_tile_of(column))];
    return tile_begin + (column - tile_begin) / l.adc.columns_per_adc * l.adc.columns_per_adc;
}

/// A converter as two floats: code = rint(fmaf(sum, a, b)).
struct Converter {
    float a = 0, b = 0;
};

/// lo, step: grid units; gain: relative; offset: ADC steps.
MHO_FORMULA Converter make_converter(float lo, float step, float gain, float offset) {
    const float a = (1.0f + gain) / step;
    return {a, offset - lo * a};
}

/// Before rounding and cutting.
MHO_FORMULA float conversion(const Converter& c, float sum) { return fmaf(sum, c.a, c.b); }

/// With noise: sigma_adc, in ADC steps, times a draw n in N(0,1).
MHO_FORMULA float conversion(const Converter& c, float sum, float sigma_adc, float n) {
    return fmaf(sigma_adc, n, conversion(c, sum));
}

/// kernels/cuda/crossbar_codes.h spells it in two instructions of a GPU.
MHO_FORMULA float cut_code(float v, float largest_code) { return fminf(fmaxf(rintf(v), 0.0f), largest_code); }

}  // namespace mho
