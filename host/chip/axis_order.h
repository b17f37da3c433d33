// host/chip/axis_order.h - which logical axis of a value lies where in memory. An order lists, for each
// physical axis, the logical axis that it holds; -1 is an extent of 1 that no logical axis has. So a
// transpose mostly renames axes and moves nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "models/graph.h"

namespace mho {

using AxisOrder = std::vector<int>;

/// As the graph has it: 0, 1, 2, ...
AxisOrder plain_order(size_t rank);

/// N, depth, height, width, C; missing leading spatial axes have extent 1. `rank`: 3 to 5.
AxisOrder channels_last_order(size_t rank);

/// The physical axis that holds logical axis `axis`, which is there.
int position_of(const AxisOrder& order, int axis);

/// Extents given for logical axes, as they lie.
std::vector<int64_t> physical_dims(const std::vector<int64_t>& dims, const AxisOrder& order);

/// Values given for logical axes, as physical ones; `missing` for axes that no logical one has.
std::vector<int64_t> by_position(const std::vector<int64_t>& values, const AxisOrder& order, int64_t missing);

/// The logical axes that decide where elements lie: extents of 1 do not, but the batch axis may grow.
std::vector<int> moving_axes(const Shape& shape, const AxisOrder& order);

/// The order after the logical axes in `gone` are dropped: they stay as extents of 1.
AxisOrder without_axes(AxisOrder order, const std::vector<int>& gone);

/// Dims of a constant with leading ones up to `rank`, as ONNX broadcasts.
std::vector<int64_t> padded_dims(const std::vector<int64_t>& dims, size_t rank);

/// A row-major array of extents `dims`, moved so that axis p of the result is axis order[p].
std::vector<float> permuted(const std::vector<float>& data, const std::vector<int64_t>& dims,
                            const AxisOrder& order);

}  // namespace mho
