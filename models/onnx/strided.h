// models/onnx/strided.h - moving the elements of constants: what the importers of models/onnx_*.cc share.
#pragma once

#include <cstdint>
#include <vector>

#include "models/onnx/constant.h"

namespace mho {

/// The constant of `dims` whose element at index (i0, i1, ...) is element offset + sum i_k strides[k] of
/// `in`: a transpose, a slice, a broadcast. Every element asked for exists. Linear in the size of the result.
Constant strided(const Constant& in, const std::vector<int64_t>& dims, int64_t offset,
                 const std::vector<int64_t>& strides);

/// Row-major strides of `dims`.
std::vector<int64_t> row_major(const std::vector<int64_t>& dims);

/// Strides that read a tensor of `from` as if it had the extents `to`, which it broadcasts to.
std::vector<int64_t> broadcast_strides(const std::vector<int64_t>& from, const std::vector<int64_t>& to);

/// Constants of one type and equal extents but for `axis`, joined along it.
Constant joined(const std::vector<const Constant*>& parts, int axis);

/// Elements `indices` along `axis`, each in range; the result has `dims`.
Constant picked(const Constant& in, int axis, const std::vector<int64_t>& indices, std::vector<int64_t> dims);

}  // namespace mho
