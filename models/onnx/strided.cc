#include "models/onnx/strided.h"

namespace mho {

namespace {

/// A constant of the type of `in` with `dims`, element i of it being element source(i) of `in`; source is
/// called for i = 0, 1, ... in order.
template <typename Source>
Constant gathered(const Constant& in, std::vector<int64_t> dims, Source source) {
    Constant out;
    out.type = in.type;
    const auto count = static_cast<size_t>(checked_count(dims));
    out.dims = std::move(dims);
    if (in.is_real())
        out.reals.reserve(count);
    else
        out.integers.reserve(count);
    bool scales = false;
    std::vector<uint8_t> per_batch;
    for (size_t i = 0; i < count; ++i) {
        const auto [constant, index] = source(i);
        if (in.is_real())
            out.reals.push_back(constant->reals[index]);
        else
            out.integers.push_back(constant->integers[index]);
        if (!constant->per_batch.empty() && per_batch.empty()) per_batch.resize(count);
        if (constant->scales(index)) per_batch[i] = scales = true;
    }
    if (scales) out.per_batch = std::move(per_batch);
    return out;
}

struct Place {
    const Constant* constant;
    size_t index;
};

}  // namespace

Constant strided(const Constant& in, const std::vector<int64_t>& dims, int64_t offset,
                 const std::vector<int64_t>& strides) {
    std::vector<int64_t> index(dims.size(), 0);
    int64_t place = offset;
    return gathered(in, dims, [&](size_t) {
        const Place here{&in, static_cast<size_t>(place)};
        for (size_t axis = dims.size(); axis-- > 0;) {
            place += strides[axis];
            if (++index[axis] < dims[axis]) break;
            place -= strides[axis] * dims[axis];
            index[axis] = 0;
        }
        return here;
    });
}

std::vector<int64_t> row_major(const std::vector<int64_t>& dims) {
    std::vector<int64_t> strides(dims.size(), 1);
    for (size_t axis = dims.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * dims[axis];
    return strides;
}

std::vector<int64_t> broadcast_strides(const std::vector<int64_t>& from, const std::vector<int64_t>& to) {
    const std::vector<int64_t> own = row_major(from);
    std::vector<int64_t> strides(to.size(), 0);
    const size_t missing = to.size() - from.size();
    for (size_t axis = 0; axis < from.size(); ++axis)
        if (from[axis] != 1) strides[missing + axis] = own[axis];
    return strides;
}

Constant joined(const std::vector<const Constant*>& parts, int axis) {
    std::vector<int64_t> dims = parts[0]->dims;
    const auto at = static_cast<size_t>(axis);
    dims[at] = 0;
    for (const Constant* part : parts) dims[at] += part->dims[at];
    size_t inner = 1;
    for (size_t i = at + 1; i < dims.size(); ++i) inner *= static_cast<size_t>(dims[i]);
    // Walks the output: `row` counts the steps before `axis`, `offset` those inside one.
    size_t part = 0, row = 0, offset = 0;
    const auto length = [&] { return static_cast<size_t>(parts[part]->dims[at]) * inner; };
    return gathered(*parts[0], dims, [&](size_t) {
        while (offset == length()) {
            offset = 0;
            if (++part == parts.size()) part = 0, ++row;
        }
        const Place here{parts[part], row * length() + offset};
        ++offset;
        return here;
    });
}

Constant picked(const Constant& in, int axis, const std::vector<int64_t>& indices,
                std::vector<int64_t> dims) {
    const auto at = static_cast<size_t>(axis);
    size_t inner = 1;
    for (size_t i = at + 1; i < in.dims.size(); ++i) inner *= static_cast<size_t>(in.dims[i]);
    const size_t block = indices.size() * inner, extent = static_cast<size_t>(in.dims[at]);
    return gathered(in, std::move(dims), [&](size_t i) {
        const auto index = static_cast<size_t>(indices[i % block / inner]);
        return Place{&in, (i / block * extent + index) * inner + i % inner};
    });
}

}  // namespace mho
