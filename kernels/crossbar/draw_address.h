// kernels/crossbar/draw_address.h - the element that each draw of a crossbar layer has in its random stream.
// docs/physics.md sections 2, 4 and 6: what a draw is for decides it, never where or when it is made.
#pragma once

#include <cstdint>

#include "kernels/base/host_device.h"
#include "kernels/crossbar/layer.h"

namespace mho {

/// Extents over which the cells, converters and reads of one layer are numbered.
struct DrawExtents {
    int64_t groups = 1, rows = 0, row_tiles = 0, slices = 1, polarities = 1, pitch = 0;
    int64_t reads = 1;  ///< phases times steps of one input vector
};

inline DrawExtents draw_extents(const CrossbarLayer& l, int64_t reads = 1) {
    return {l.groups, l.rows(), l.row_tiles(), l.slices(), l.polarities(), l.pitch(), reads};
}

MHO_HD inline uint64_t cell_element(const DrawExtents& e, int64_t group, int64_t slice, int64_t polarity,
                                    int64_t row, int64_t column) {
    return static_cast<uint64_t>(
        (((group * e.slices + slice) * e.polarities + polarity) * e.rows + row) * e.pitch + column);
}

/// `column`: the first that the converter serves.
MHO_HD inline uint64_t converter_element(const DrawExtents& e, int64_t group, int64_t row_tile, int64_t slice,
                                         int64_t polarity, int64_t column) {
    return static_cast<uint64_t>(
        (((group * e.row_tiles + row_tile) * e.slices + slice) * e.polarities + polarity) * e.pitch + column);
}

/// `position`: image times output positions an image, plus the position. `read`: phase times steps, plus the
/// step.
MHO_HD inline uint64_t read_element(const DrawExtents& e, uint64_t position, int64_t group, int64_t row_tile,
                                    int64_t read, int64_t slice, int64_t polarity, int64_t column) {
    const uint64_t tile = (position * static_cast<uint64_t>(e.groups) + static_cast<uint64_t>(group)) *
                              static_cast<uint64_t>(e.row_tiles) +
                          static_cast<uint64_t>(row_tile);
    const uint64_t each = static_cast<uint64_t>(e.reads * e.slices * e.polarities * e.pitch);
    return tile * each +
           static_cast<uint64_t>(((read * e.slices + slice) * e.polarities + polarity) * e.pitch + column);
}

/// Calls each(group, row tile, slice, conversion, column, element) for every converter, in converter order.
template <class Each>
void for_each_converter(const CrossbarLayer& l, const Each& each) {
    const DrawExtents extents = draw_extents(l);
    for (int64_t g = 0; g < l.groups; ++g)
        for (int64_t rt = 0; rt < l.row_tiles(); ++rt)
            for_each_conversion(l, [&](int s, int p) {
                for (int64_t c = 0; c < l.columns(); ++c)
                    each(g, rt, s, p, c, static_cast<size_t>(converter_element(extents, g, rt, s, p, c)));
            });
}

/// Elements over which converters are numbered: there is none at those of padding and of a second polarity
/// that is subtracted before.
inline int64_t converter_elements(const CrossbarLayer& l) {
    return l.groups * l.row_tiles() * l.slices() * l.polarities() * l.pitch();
}

}  // namespace mho
