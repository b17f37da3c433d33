#include "host/chip/axis_order.h"

#include <algorithm>
#include <numeric>

#include "kernels/steps/axes.h"

namespace mho {

AxisOrder plain_order(size_t rank) {
    AxisOrder order(rank);
    std::iota(order.begin(), order.end(), 0);
    return order;
}

AxisOrder channels_last_order(size_t rank) {
    AxisOrder order{0};
    order.insert(order.end(), 5 - rank, -1);
    for (size_t axis = 2; axis < rank; ++axis) order.push_back(static_cast<int>(axis));
    order.push_back(1);
    return order;
}

int position_of(const AxisOrder& order, int axis) {
    return static_cast<int>(std::find(order.begin(), order.end(), axis) - order.begin());
}

std::vector<int64_t> physical_dims(const std::vector<int64_t>& dims, const AxisOrder& order) {
    return by_position(dims, order, 1);
}

std::vector<int64_t> by_position(const std::vector<int64_t>& values, const AxisOrder& order,
                                 int64_t missing) {
    std::vector<int64_t> result;
    for (int axis : order) result.push_back(axis < 0 ? missing : values[static_cast<size_t>(axis)]);
    return result;
}

std::vector<int> moving_axes(const Shape& shape, const AxisOrder& order) {
    std::vector<int> axes;
    for (int axis : order)
        if (axis >= 0 && (shape.dims[static_cast<size_t>(axis)] != 1 || (axis == 0 && shape.per_image)))
            axes.push_back(axis);
    return axes;
}

AxisOrder without_axes(AxisOrder order, const std::vector<int>& gone) {
    for (int& axis : order) {
        if (std::find(gone.begin(), gone.end(), axis) != gone.end())
            axis = -1;
        else
            axis -=
                static_cast<int>(std::count_if(gone.begin(), gone.end(), [&](int g) { return g < axis; }));
    }
    return order;
}

std::vector<int64_t> padded_dims(const std::vector<int64_t>& dims, size_t rank) {
    std::vector<int64_t> result(rank - dims.size(), 1);
    result.insert(result.end(), dims.begin(), dims.end());
    return result;
}

std::vector<float> permuted(const std::vector<float>& data, const std::vector<int64_t>& dims,
                            const AxisOrder& order) {
    const std::vector<int64_t> stride = row_major_strides(dims);
    const std::vector<int64_t> extents = physical_dims(dims, order);
    std::vector<int64_t> index(order.size(), 0);
    std::vector<float> result;
    result.reserve(data.size());
    for (size_t count = 0; count < data.size(); ++count) {
        int64_t from = 0;
        for (size_t p = 0; p < order.size(); ++p)
            if (order[p] >= 0) from += index[p] * stride[static_cast<size_t>(order[p])];
        result.push_back(data[static_cast<size_t>(from)]);
        for (size_t p = order.size(); p-- > 0;) {
            if (++index[p] < extents[p]) break;
            index[p] = 0;
        }
    }
    return result;
}

}  // namespace mho
