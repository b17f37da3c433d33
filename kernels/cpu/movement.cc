#include "kernels/cpu/movement.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/steps/axes.h"
#include "kernels/steps/pad_source.h"

namespace mho::cpu {
namespace {

constexpr size_t kMaxRank = 16;

/// y, row-major with extents `dims`, from x read at `offset` with one stride an axis.
void copy_strided(const Dims& dims, const Dims& strides, const float* x, int64_t offset, float* y) {
    if (dims.empty()) {
        *y = x[offset];
        return;
    }
    for (int64_t d : dims)
        if (d == 0) return;
    const size_t last = dims.size() - 1;
    std::array<int64_t, kMaxRank> index{};
    const float* from = x + offset;
    for (;;) {
        if (strides[last] == 1)
            std::memcpy(y, from, static_cast<size_t>(dims[last]) * sizeof(float));
        else
            for (int64_t i = 0; i < dims[last]; ++i) y[i] = from[i * strides[last]];
        y += dims[last];
        size_t axis = last;
        for (;;) {
            if (axis == 0) return;
            --axis;
            from += strides[axis];
            if (++index[axis] < dims[axis]) break;
            from -= strides[axis] * dims[axis];
            index[axis] = 0;
        }
    }
}

void pad_axis(const step::Pad& p, size_t axis, const float* x, const Dims& x_dims, const Dims& x_strides,
              float* y, const Dims& y_dims, const Dims& y_strides) {
    for (int64_t i = 0; i < y_dims[axis]; ++i) {
        const int64_t from = x ? pad_source(p.mode, i - p.begin[axis], x_dims[axis]) : -1;
        const float* source = from < 0 ? nullptr : x + from * x_strides[axis];
        float* target = y + i * y_strides[axis];
        if (!source)
            std::fill_n(target, y_strides[axis], p.value);
        else if (axis + 1 == y_dims.size())
            *target = *source;
        else
            pad_axis(p, axis + 1, source, x_dims, x_strides, target, y_dims, y_strides);
    }
}

}  // namespace

void transpose(const step::Transpose& t, const float* x, const Dims& x_dims, float* y) {
    const Dims strides = row_major_strides(x_dims);
    Dims y_dims, y_strides;
    for (int axis : t.permutation) {
        y_dims.push_back(x_dims[static_cast<size_t>(axis)]);
        y_strides.push_back(strides[static_cast<size_t>(axis)]);
    }
    copy_strided(y_dims, y_strides, x, 0, y);
}

void slice(const step::Slice& s, const float* x, const Dims& x_dims, float* y, const Dims& y_dims) {
    Dims strides = row_major_strides(x_dims);
    int64_t offset = 0;
    for (size_t i = 0; i < strides.size(); ++i) {
        offset += s.begin[i] * strides[i];
        strides[i] *= s.step[i];
    }
    copy_strided(y_dims, strides, x, offset, y);
}

void gather(const step::Gather& g, const float* x, const Dims& x_dims, float* y) {
    const AxisSplit d = split_at(x_dims, g.axis);
    for (int64_t o = 0; o < d.outer; ++o)
        for (int64_t index : g.indices) {
            std::memcpy(y, x + (o * d.extent + index) * d.inner,
                        static_cast<size_t>(d.inner) * sizeof(float));
            y += d.inner;
        }
}

void pad(const step::Pad& p, const float* x, const Dims& x_dims, float* y, const Dims& y_dims) {
    if (y_dims.empty()) {
        *y = *x;
        return;
    }
    pad_axis(p, 0, x, x_dims, row_major_strides(x_dims), y, y_dims, row_major_strides(y_dims));
}

void concat_part(int axis, const float* part, const Dims& part_dims, int64_t begin, float* y,
                 const Dims& y_dims) {
    const AxisSplit d = split_at(y_dims, axis);
    const int64_t run = part_dims[static_cast<size_t>(axis)] * d.inner;
    for (int64_t o = 0; o < d.outer; ++o)
        std::memcpy(y + (o * d.extent + begin) * d.inner, part + o * run,
                    static_cast<size_t>(run) * sizeof(float));
}

}  // namespace mho::cpu
