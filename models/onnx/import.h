// models/onnx/import.h - what an ONNX operator's importer works with: one node of the file, and the graph
// being built. To add an operator: a function `void import_NAME(OnnxNode&)` in the file of its
// family, and its line in that file's table; its writer in writer.cc where it became an operation of its
// own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/graph.h"
#include "models/names.h"
#include "models/onnx/constant.h"
#include "models/onnx/onnx.h"

namespace onnx {
class AttributeProto;
class NodeProto;
}  // namespace onnx

namespace mho {

/// What a name in the file stands for: a constant, a value of the graph, or an output that mho does not
/// compute.
struct Symbol {
    ConstantPtr constant;
    ValueId value = -1;
    int32_t type = 1;         ///< element type in the file (onnx::TensorProto_DataType)
    std::string unavailable;  ///< why nothing may read it, where that is so

    bool is_constant() const { return constant != nullptr; }
};

using Scope = std::map<std::string, Symbol>;
using Attributes = std::map<std::string, const onnx::AttributeProto*>;

/// The graph being built, and what holds for the whole file.
struct ImportState {
    Graph graph;
    OnnxOptions options;
    std::filesystem::path directory;  ///< where external data lies
    /// The batch that the file bakes into its inputs, and so into its numbers for axis 0; nothing where it is
    /// symbolic: then a number for axis 0 is one image count among many.
    std::optional<int64_t> file_batch;
    int64_t budget = int64_t{1} << 24;  ///< elements that may still be copied or made
    std::map<ConstantPtr, ValueId> constant_values;
    UniqueNames node_names, value_names;  ///< those of the file are taken before any node is read

    /// Takes `elements` from the budget, so that a small file cannot ask for much memory: whatever is copied
    /// from constants, or made of them, is charged before it is made.
    void charge(int64_t elements);
    /// Adds to the budget what the file brought: a network of shared weights reads each several times.
    void allow_for(const Constant& constant) { budget += 16 * constant.size(); }
    /// The graph value that holds `constant`: one for all its uses.
    ValueId constant_value(const ConstantPtr& constant, const std::string& name);
};

/// One node of the file. Every problem is thrown as InputError without the node's name: the reader adds it.
class OnnxNode {
  public:
    /// `unique_name` is the node's alone, and taken in state's node_names.
    OnnxNode(ImportState& import_state, const onnx::NodeProto& node, std::string unique_name, Scope& symbols,
             int64_t operator_set);

    const std::string& name() const { return name_; }
    const std::string& operation() const;
    int64_t opset() const { return opset_; }
    ImportState& state() { return state_; }
    const ImportState& state() const { return state_; }

    // Attributes. Asking for one makes it known; check_attributes refuses what nobody asked for.
    bool has_attribute(const std::string& attribute);
    int64_t integer(const std::string& attribute, int64_t fallback);
    float real(const std::string& attribute, float fallback);
    std::string text(const std::string& attribute, const std::string& fallback);
    std::vector<int64_t> integers(const std::string& attribute);  ///< empty where absent
    std::vector<float> reals(const std::string& attribute);       ///< empty where absent
    Constant tensor(const std::string& attribute);
    void check_attributes() const;

    // Inputs.
    size_t inputs() const;
    bool has_input(size_t i) const;
    /// Throws where the input is missing or unavailable.
    const Symbol& input(size_t i) const;
    const std::string& input_name(size_t i) const;
    Shape shape(const Symbol& symbol) const;
    Shape shape(size_t i) const { return shape(input(i)); }
    bool all_constant() const;
    /// The input as a value of the graph; a constant becomes one.
    ValueId value(size_t i);
    /// The input, which must be a constant; `what` names it in the message.
    const Constant& constant(size_t i, const char* what) const;
    /// A constant of a float type, copied, its elements finite.
    Tensor numbers(size_t i, const char* what);
    /// The same, which may not be empty either.
    Tensor weight(size_t i, const char* what);
    /// A constant list of integers, none of which grows with the batch.
    std::vector<int64_t> integer_list(size_t i, const char* what) const;
    /// The one number that a constant of any type holds; refuses a constant of none or several, and NaN.
    double number(size_t i, const char* what) const;
    /// An optional scalar of a float type, `fallback` where absent; infinities are numbers here.
    float scalar(size_t i, const char* what, float fallback) const;

    // Results. `label` tells the parts of one ONNX node apart where it becomes several.
    ValueId emit(Operation operation, std::vector<ValueId> from, const std::string& label = "");
    /// The same for Reshape and Slice, whose shape is given.
    ValueId emit_as(Operation operation, std::vector<ValueId> from, Shape shape,
                    const std::string& label = "");
    ValueId emit_constant(std::vector<int64_t> dims, std::vector<float> data, const std::string& label);
    void set_output(size_t i, Symbol symbol);
    void set_output(size_t i, ValueId value);
    /// With the element type that `like` has in the file.
    void set_output_like(const Symbol& like, size_t i, ValueId value);
    void set_output(size_t i, Constant constant);
    size_t outputs() const;
    /// Whether the file names output i at all.
    bool has_output(size_t i) const;
    /// Marks the outputs that were not set as unavailable.
    void close_outputs();

  private:
    const onnx::AttributeProto* find(const std::string& attribute, int type);
    std::string name_of_part(const std::string& label);
    void require_real(const Constant& c, size_t i, const char* what) const;

    ImportState& state_;
    const onnx::NodeProto& node_;
    Scope& scope_;
    std::string name_;
    bool name_is_used_ = false;
    int64_t opset_;
    Attributes attributes_;
    std::map<std::string, bool> asked_;
    ValueId first_new_value_;
};

/// Throws InputError with a formatted message: fmt's arguments.
[[noreturn]] void refuse(const std::string& what);

/// `axis` counted from the front, of `rank` axes. Throws where there is no such axis.
int resolve_axis(int64_t axis, size_t rank);
/// The same for a list, ascending; throws where one is listed twice.
std::vector<int> resolve_axes(const std::vector<int64_t>& axes, size_t rank);
/// Axes from an attribute (before `input_since`) or from input `i`. Empty where neither is there.
std::vector<int64_t> listed_axes(OnnxNode& node, size_t i, int64_t input_since);

struct OnnxOperator {
    const char* name;
    void (*import)(OnnxNode&);
};

// The families, one a file.
std::span<const OnnxOperator> layer_operators();        // layers.cc: what multiplies or normalises
std::span<const OnnxOperator> pooling_operators();      // pooling.cc: windows
std::span<const OnnxOperator> reduction_operators();    // reduction.cc: means, sums and norms along axes
std::span<const OnnxOperator> elementwise_operators();  // elementwise.cc: activations and arithmetic
std::span<const OnnxOperator> reshaping_operators();    // reshape.cc: the same elements under other axes
std::span<const OnnxOperator> movement_operators();     // movement.cc: what moves elements
std::span<const OnnxOperator> constant_operators();     // folded.cc: what exists in folded chains alone

/// nullptr where there is none.
const OnnxOperator* find_onnx_operator(const std::string& name);

}  // namespace mho
