// kernels/steps/axes.h - extents and strides of row-major arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mho {

/// Product of the extents of axes [begin, end).
inline int64_t extent_between(const std::vector<int64_t>& dims, size_t begin, size_t end) {
    int64_t product = 1;
    for (size_t axis = begin; axis < end; ++axis) product *= dims[axis];
    return product;
}

/// How far a step along each axis moves, in elements.
inline std::vector<int64_t> row_major_strides(const std::vector<int64_t>& dims) {
    std::vector<int64_t> strides(dims.size(), 1);
    for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
    return strides;
}

/// An array seen around one of its axes: outer x extent x inner.
struct AxisSplit {
    int64_t outer = 1, extent = 1, inner = 1;
};

inline AxisSplit split_at(const std::vector<int64_t>& dims, int axis) {
    const size_t a = static_cast<size_t>(axis);
    return {extent_between(dims, 0, a), dims[a], extent_between(dims, a + 1, dims.size())};
}

}  // namespace mho
