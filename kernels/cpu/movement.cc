#include "kernels/cpu/movement.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace mho::cpu {
namespace {

constexpr size_t kMaxRank = 16;

Dims strides_of(const Dims& dims) {
    Dims strides(dims.size(), 1);
    for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
    return strides;
}

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

int64_t product(const Dims& dims, size_t begin, size_t end) {
    int64_t n = 1;
    for (size_t i = begin; i < end; ++i) n *= dims[i];
    return n;
}

/// Where index i of a padded axis comes from: -1 for the constant.
int64_t source_index(PadMode mode, int64_t i, int64_t extent) {
    if (i >= 0 && i < extent) return i;
    if (mode == PadMode::constant) return -1;
    if (mode == PadMode::edge) return std::clamp<int64_t>(i, 0, extent - 1);
    if (extent == 1) return 0;
    const int64_t period = 2 * (extent - 1), place = ((i % period) + period) % period;
    return place < extent ? place : period - place;
}

void pad_axis(const step::Pad& p, size_t axis, const float* x, const Dims& x_dims, const Dims& x_strides,
              float* y, const Dims& y_dims, const Dims& y_strides) {
    for (int64_t i = 0; i < y_dims[axis]; ++i) {
        const int64_t from = x ? source_index(p.mode, i - p.begin[axis], x_dims[axis]) : -1;
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
    const Dims strides = strides_of(x_dims);
    Dims y_dims, y_strides;
    for (int axis : t.permutation) {
        y_dims.push_back(x_dims[static_cast<size_t>(axis)]);
        y_strides.push_back(strides[static_cast<size_t>(axis)]);
    }
    copy_strided(y_dims, y_strides, x, 0, y);
}

void slice(const step::Slice& s, const float* x, const Dims& x_dims, float* y, const Dims& y_dims) {
    Dims strides = strides_of(x_dims);
    int64_t offset = 0;
    for (size_t i = 0; i < strides.size(); ++i) {
        offset += s.begin[i] * strides[i];
        strides[i] *= s.step[i];
    }
    copy_strided(y_dims, strides, x, offset, y);
}

void gather(const step::Gather& g, const float* x, const Dims& x_dims, float* y) {
    const size_t axis = static_cast<size_t>(g.axis);
    const int64_t outer = product(x_dims, 0, axis), inner = product(x_dims, axis + 1, x_dims.size());
    for (int64_t o = 0; o < outer; ++o)
        for (int64_t index : g.indices) {
            std::memcpy(y, x + (o * x_dims[axis] + index) * inner,
                        static_cast<size_t>(inner) * sizeof(float));
            y += inner;
        }
}

void pad(const step::Pad& p, const float* x, const Dims& x_dims, float* y, const Dims& y_dims) {
    if (y_dims.empty()) {
        *y = *x;
        return;
    }
    pad_axis(p, 0, x, x_dims, strides_of(x_dims), y, y_dims, strides_of(y_dims));
}

void concat_part(int axis, const float* part, const Dims& part_dims, int64_t begin, float* y,
                 const Dims& y_dims) {
    const size_t a = static_cast<size_t>(axis);
    const int64_t outer = product(y_dims, 0, a), inner = product(y_dims, a + 1, y_dims.size());
    const int64_t run = part_dims[a] * inner;
    for (int64_t o = 0; o < outer; ++o)
        std::memcpy(y + (o * y_dims[a] + begin) * inner, part + o * run,
                    static_cast<size_t>(run) * sizeof(float));
}

}  // namespace mho::cpu
