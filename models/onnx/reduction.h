// models/onnx/reduction.h - constants reduced along axes.
#pragma once

#include <vector>

#include "models/graph.h"

namespace mho {

enum class Reduction { mean, sum, norm };  // norm: the square root of the sum of squares

/// `axes`: resolved, each once. In double, rounded once.
Tensor reduced(const Tensor& x, const std::vector<int>& axes, bool keep, Reduction kind);

}  // namespace mho
