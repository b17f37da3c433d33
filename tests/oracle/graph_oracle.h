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

/// Every value of `graph` for a batch of `images`. inputs: as graph.inputs.
std::map<ValueId, Array> evaluate(const Graph& graph, const std::vector<Array>& inputs, int64_t images);

}  // namespace mho::oracle
