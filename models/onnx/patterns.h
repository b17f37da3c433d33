// models/onnx/patterns.h - one operation where a file spells it out in several: the forms in which exporters
// write what ONNX had no operator for at the time. To add a pattern: a function in patterns.cc and its line
// in recognise_patterns.
#pragma once

#include "models/graph.h"

namespace mho {

/// The same network with these put together:
/// - a convolution, or a product with a constant, followed by the addition of one constant an output: its bias;
/// - GELU (by erf and by tanh), SiLU and HardSwish, in whatever arithmetic they are written;
/// - layer normalisation as mean, difference, mean of squares, square root and division.
/// Nodes that nothing reads any more stay: compacted() drops them.
Graph recognise_patterns(Graph graph);

}  // namespace mho
