// tests/oracle/graph_oracle.h - a network evaluated slowly and obviously: plain loops over ONNX's own axis
// order, in double precision. A reference for tests only; it shares no code with the backends.
#pragma once

#include <map>
#include <vector>

#include "models/graph.h"

namespace mho::oracle {

struct Array {
    std::vector<int64_t> dims;
    std::vector<double> data;
};

double activated(const Activation& f, double x);

/// Every element held to the nearest of `levels` values from 0 to `high`, ties to even (docs/physics.md,
/// section 5); 0 where `high` is.
Array quantised(const Array& x, int levels, double high);

/// Every value of `graph` for a batch of `images`. inputs: as graph.inputs.
std::map<ValueId, Array> evaluate(const Graph& graph, const std::vector<Array>& inputs, int64_t images);

}  // namespace mho::oracle
