// kernels/cpu/movement.h - operations that only move elements. Arrays are row-major; dims are whole (images
// included).
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/plan.h"

namespace mho::cpu {

using Dims = std::vector<int64_t>;

void transpose(const step::Transpose& t, const float* x, const Dims& x_dims, float* y);
void slice(const step::Slice& s, const float* x, const Dims& x_dims, float* y, const Dims& y_dims);
void gather(const step::Gather& g, const float* x, const Dims& x_dims, float* y);
void pad(const step::Pad& p, const float* x, const Dims& x_dims, float* y, const Dims& y_dims);

/// Copies one part of a concatenation to its place: part_dims and y_dims differ in `axis` alone; the part
/// starts at index `begin` of that axis.
void concat_part(int axis, const float* part, const Dims& part_dims, int64_t begin, float* y,
                 const Dims& y_dims);

}  // namespace mho::cpu
