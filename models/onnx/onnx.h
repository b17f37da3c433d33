// models/onnx/onnx.h - ONNX files in and out: the only network format.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kernels/base/error.h"
#include "models/graph.h"

namespace mho {

struct OnnxOptions {
    /// true: axis 0 of every graph input is the batch, whatever extent the file bakes in, and the graph runs
    /// any batch (Shape::per_image). false: every extent is taken as it stands (a symbolic one is an error).
    bool any_batch = true;
};

/// An extent of an input is symbolic where one has to be stated: of the batch where the file is read as it
/// stands.
class SymbolicExtent : public InputError {
  public:
    using InputError::InputError;
};

/// Reads an ONNX model: opset 9 to the newest, weights inline or in external data files beside it. Constants
/// are folded (chains of Shape, Expand, CastLike, Identity, ...), known patterns (Gelu, SiLU, HardSwish,
/// LayerNorm) are recognised, and every remaining node is one of the operations of graph.h. Throws InputError
/// naming the file, the node, the operator and the attribute that is not supported, with the list of what is
/// (SymbolicExtent where that is all that is wrong so far); never crashes on a malformed file.
Graph read_onnx(const std::filesystem::path& file, const OnnxOptions& options = {});

/// The same from bytes in memory; `directory` is where external data would lie.
Graph parse_onnx(const std::string& bytes, const std::string& name, const std::filesystem::path& directory,
                 const OnnxOptions& options = {});

/// Writes `graph` as ONNX, opset 20, IR version 9, weights inline, with a symbolic batch where inputs are
/// per_image. What read_onnx makes of it equals `graph`. Throws RunError where the file cannot be written.
void write_onnx(const Graph& graph, const std::filesystem::path& file);

/// Names of the ONNX operators that read_onnx accepts, sorted.
std::vector<std::string> supported_onnx_operators();

}  // namespace mho
