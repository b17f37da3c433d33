// models/onnx/node.cc - one node of an ONNX file: its attributes, inputs and results, each checked when asked
// for.
#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/base/error.h"
#include "models/onnx/import.h"

namespace mho {

using onnx::AttributeProto;

void refuse(const std::string& what) { throw InputError(what); }

void ImportState::charge(int64_t elements) {
    if (elements > budget)
        refuse(
            fmt::format("it takes {} elements of constants, and all that nodes take may not be far more than "
                        "the file brings",
                        elements));
    budget -= elements;
}

ValueId ImportState::constant_value(const ConstantPtr& constant, const std::string& name) {
    const auto [place, is_new] = constant_values.try_emplace(constant, -1);
    if (is_new) {
        charge(constant->size());
        place->second = graph.add_value(name, {constant->dims, false}, {constant->dims, constant->reals});
    }
    return place->second;
}

OnnxNode::OnnxNode(ImportState& import_state, const onnx::NodeProto& node, std::string unique_name,
                   Scope& symbols, int64_t operator_set)
    : state_(import_state),
      node_(node),
      scope_(symbols),
      name_(std::move(unique_name)),
      opset_(operator_set),
      first_new_value_(static_cast<ValueId>(import_state.graph.values.size())) {
    for (const AttributeProto& attribute : node.attribute()) {
        if (!attribute.ref_attr_name().empty())
            refuse(fmt::format("attribute '{}' refers to one of a function's caller, and this is no function",
                               attribute.name()));
        if (!attributes_.emplace(attribute.name(), &attribute).second)
            refuse(fmt::format("attribute '{}' stands twice", attribute.name()));
    }
}

const std::string& OnnxNode::operation() const { return node_.op_type(); }

const AttributeProto* OnnxNode::find(const std::string& attribute, int type) {
    asked_[attribute] = true;
    const auto place = attributes_.find(attribute);
    if (place == attributes_.end()) return nullptr;
    const int found = place->second->type();
    if (found != type)
        refuse(fmt::format(
            "attribute '{}' is of type {}; expected {}", attribute,
            AttributeProto::AttributeType_Name(static_cast<AttributeProto::AttributeType>(found)),
            AttributeProto::AttributeType_Name(static_cast<AttributeProto::AttributeType>(type))));
    return place->second;
}

bool OnnxNode::has_attribute(const std::string& attribute) { return attributes_.contains(attribute); }

int64_t OnnxNode::integer(const std::string& attribute, int64_t fallback) {
    const AttributeProto* found = find(attribute, AttributeProto::INT);
    return found ? found->i() : fallback;
}

float OnnxNode::real(const std::string& attribute, float fallback) {
    const AttributeProto* found = find(attribute, AttributeProto::FLOAT);
    if (found && std::isnan(found->f())) refuse(fmt::format("attribute '{}' is not a number", attribute));
    return found ? found->f() : fallback;
}

std::string OnnxNode::text(const std::string& attribute, const std::string& fallback) {
    const AttributeProto* found = find(attribute, AttributeProto::STRING);
    return found ? found->s() : fallback;
}

std::vector<int64_t> OnnxNode::integers(const std::string& attribute) {
    const AttributeProto* found = find(attribute, AttributeProto::INTS);
    return found ? std::vector<int64_t>(found->ints().begin(), found->ints().end()) : std::vector<int64_t>();
}

std::vector<float> OnnxNode::reals(const std::string& attribute) {
    const AttributeProto* found = find(attribute, AttributeProto::FLOATS);
    return found ? std::vector<float>(found->floats().begin(), found->floats().end()) : std::vector<float>();
}

Constant OnnxNode::tensor(const std::string& attribute) {
    const AttributeProto* found = find(attribute, AttributeProto::TENSOR);
    if (!found) refuse(fmt::format("attribute '{}' is missing", attribute));
    Constant c = decode_tensor(found->t(), state_.directory);
    state_.allow_for(c);
    return c;
}

void OnnxNode::check_attributes() const {
    for (const auto& [attribute, proto] : attributes_)
        if (!asked_.contains(attribute))
            refuse(fmt::format("attribute '{}' is not supported here (opset {})", attribute, opset_));
}

size_t OnnxNode::inputs() const { return static_cast<size_t>(node_.input_size()); }

bool OnnxNode::has_input(size_t i) const { return i < inputs() && !node_.input(static_cast<int>(i)).empty(); }

const std::string& OnnxNode::input_name(size_t i) const { return node_.input(static_cast<int>(i)); }

const Symbol& OnnxNode::input(size_t i) const {
    if (!has_input(i)) refuse(fmt::format("input {} is missing", i));
    const auto place = scope_.find(input_name(i));
    if (place == scope_.end())
        refuse(fmt::format(
            "input '{}' is neither a graph input, nor an initializer, nor the output of an earlier node",
            input_name(i)));
    if (!place->second.unavailable.empty()) refuse(place->second.unavailable);
    return place->second;
}

Shape OnnxNode::shape(const Symbol& symbol) const {
    if (symbol.is_constant()) return {symbol.constant->dims, false};
    return state_.graph.values[static_cast<size_t>(symbol.value)].shape;
}

bool OnnxNode::all_constant() const {
    for (size_t i = 0; i < inputs(); ++i)
        if (has_input(i) && !input(i).is_constant()) return false;
    return true;
}

ValueId OnnxNode::value(size_t i) {
    const Symbol& symbol = input(i);
    if (!is_real_type(symbol.type))
        refuse(fmt::format("input '{}' has elements of type {}; mho computes with float types alone",
                           input_name(i), type_name(symbol.type)));
    if (!symbol.is_constant()) return symbol.value;
    if (!symbol.constant->per_batch.empty())
        refuse(fmt::format("the constant '{}' depends on the number of images", input_name(i)));
    const std::vector<float>& elements = symbol.constant->reals;
    if (elements.empty()) refuse(fmt::format("the constant '{}' is empty", input_name(i)));
    // Infinities stay: masks before a softmax hold them.
    if (std::any_of(elements.begin(), elements.end(), [](float x) { return std::isnan(x); }))
        refuse(fmt::format("the constant '{}' holds elements that are not a number", input_name(i)));
    return state_.constant_value(symbol.constant, input_name(i));
}

const Constant& OnnxNode::constant(size_t i, const char* what) const {
    const Symbol& symbol = input(i);
    if (!symbol.is_constant())
        refuse(fmt::format("the {} '{}' is computed from the graph's inputs; it must be a constant", what,
                           input_name(i)));
    return *symbol.constant;
}

void OnnxNode::require_real(const Constant& c, size_t i, const char* what) const {
    if (!c.is_real())
        refuse(fmt::format("the {} '{}' has elements of type {}; expected a float type", what, input_name(i),
                           type_name(c.type)));
}

Tensor OnnxNode::numbers(size_t i, const char* what) {
    const Constant& c = constant(i, what);
    require_real(c, i, what);
    if (!c.per_batch.empty())
        refuse(fmt::format("the {} '{}' depends on the number of images", what, input_name(i)));
    if (!std::all_of(c.reals.begin(), c.reals.end(), [](float x) { return std::isfinite(x); }))
        refuse(
            fmt::format("the {} '{}' holds elements that are infinite or not a number", what, input_name(i)));
    state_.charge(c.size());
    return {c.dims, c.reals};
}

Tensor OnnxNode::weight(size_t i, const char* what) {
    Tensor tensor = numbers(i, what);
    if (tensor.empty())
        refuse(
            fmt::format("the {} '{}' of {} is empty", what, input_name(i), to_string({tensor.dims, false})));
    return tensor;
}

std::vector<int64_t> OnnxNode::integer_list(size_t i, const char* what) const {
    const Constant& c = constant(i, what);
    if (c.is_real())
        refuse(fmt::format("the {} '{}' has elements of type {}; expected integers", what, input_name(i),
                           type_name(c.type)));
    if (!c.per_batch.empty())
        refuse(fmt::format("the {} '{}' depends on the number of images", what, input_name(i)));
    return c.integers;
}

double OnnxNode::number(size_t i, const char* what) const {
    const Constant& c = constant(i, what);
    if (!c.per_batch.empty())
        refuse(fmt::format("the {} '{}' depends on the number of images", what, input_name(i)));
    if (c.size() != 1)
        refuse(fmt::format("the {} '{}' has {} elements; expected one", what, input_name(i), c.size()));
    if (std::isnan(c.number(0))) refuse(fmt::format("the {} '{}' is not a number", what, input_name(i)));
    return c.number(0);
}

float OnnxNode::scalar(size_t i, const char* what, float fallback) const {
    if (!has_input(i)) return fallback;
    require_real(constant(i, what), i, what);
    return static_cast<float>(number(i, what));
}

ValueId OnnxNode::emit(Operation operation, std::vector<ValueId> from, const std::string& label) {
    std::vector<Shape> shapes;
    for (ValueId id : from) shapes.push_back(state_.graph.values[static_cast<size_t>(id)].shape);
    Shape shape = infer_shape(operation, shapes);
    return emit_as(std::move(operation), std::move(from), std::move(shape), label);
}

ValueId OnnxNode::emit_as(Operation operation, std::vector<ValueId> from, Shape shape,
                          const std::string& label) {
    std::vector<Shape> shapes;
    for (ValueId id : from) shapes.push_back(state_.graph.values[static_cast<size_t>(id)].shape);
    check_shapes(operation, shapes, shape);
    const auto& values = state_.graph.values;
    if (std::all_of(from.begin(), from.end(),
                    [&](ValueId id) { return values[static_cast<size_t>(id)].is_constant(); }))
        refuse("all its inputs are constants, and it is not among the operators that are folded");
    if (shape.per_image && shape.size() == 0) refuse(fmt::format("the result {} is empty", to_string(shape)));
    std::string part = name_of_part(label);
    const ValueId output = state_.graph.add_value(state_.value_names.unique(part), std::move(shape));
    state_.graph.nodes.push_back({std::move(part), std::move(operation), std::move(from), output});
    return output;
}

std::string OnnxNode::name_of_part(const std::string& label) {
    if (!label.empty()) return state_.node_names.unique(name_ + ":" + label);
    return std::exchange(name_is_used_, true) ? state_.node_names.unique(name_) : name_;
}

ValueId OnnxNode::emit_constant(std::vector<int64_t> dims, std::vector<float> data,
                                const std::string& label) {
    state_.charge(static_cast<int64_t>(data.size()));
    if (data.empty()) refuse(fmt::format("a constant of {} is empty", to_string({dims, false})));
    const Shape shape{dims, false};
    return state_.graph.add_value(state_.value_names.unique(name_ + ":" + label), shape,
                                  {std::move(dims), std::move(data)});
}

size_t OnnxNode::outputs() const { return static_cast<size_t>(node_.output_size()); }

bool OnnxNode::has_output(size_t i) const {
    return i < outputs() && !node_.output(static_cast<int>(i)).empty();
}

void OnnxNode::set_output(size_t i, Symbol symbol) {
    if (!has_output(i)) return;
    const std::string& output = node_.output(static_cast<int>(i));
    if (symbol.value >= first_new_value_)
        state_.graph.values[static_cast<size_t>(symbol.value)].name = output;
    if (!scope_.emplace(output, std::move(symbol)).second)
        refuse(fmt::format("output '{}' has the name of another value", output));
}

void OnnxNode::set_output(size_t i, ValueId value) {
    Symbol symbol;
    symbol.value = value;
    set_output(i, std::move(symbol));
}

void OnnxNode::set_output_like(const Symbol& like, size_t i, ValueId value) {
    Symbol symbol;
    symbol.value = value;
    symbol.type = like.type;
    set_output(i, std::move(symbol));
}

void OnnxNode::set_output(size_t i, Constant constant) {
    Symbol symbol;
    symbol.type = constant.type;
    symbol.constant = std::make_shared<const Constant>(std::move(constant));
    set_output(i, std::move(symbol));
}

void OnnxNode::close_outputs() {
    for (size_t i = 0; i < outputs(); ++i) {
        if (!has_output(i)) continue;
        Symbol symbol;
        symbol.unavailable = fmt::format("it reads output {} of node '{}' ({}), which mho does not compute",
                                         i, name_, operation());
        scope_.emplace(node_.output(static_cast<int>(i)), std::move(symbol));
    }
}

int resolve_axis(int64_t axis, size_t rank) {
    const auto count = static_cast<int64_t>(rank);
    if (axis < -count || axis >= count)
        refuse(fmt::format("axis {} of a value that has {} axes", axis, count));
    return static_cast<int>(axis < 0 ? axis + count : axis);
}

std::vector<int> resolve_axes(const std::vector<int64_t>& axes, size_t rank) {
    std::vector<int> resolved;
    for (int64_t axis : axes) resolved.push_back(resolve_axis(axis, rank));
    std::sort(resolved.begin(), resolved.end());
    if (std::adjacent_find(resolved.begin(), resolved.end()) != resolved.end())
        refuse("an axis is listed twice");
    return resolved;
}

std::vector<int64_t> listed_axes(OnnxNode& node, size_t i, int64_t input_since) {
    if (node.opset() < input_since) return node.integers("axes");
    return node.has_input(i) ? node.integer_list(i, "list of axes") : std::vector<int64_t>();
}

}  // namespace mho
