#include "host/chip/plan_builder.h"

#include <fmt/format.h>

#include "kernels/base/error.h"

namespace mho {

PlanBuilder::PlanBuilder(const NumberedGraph& network, Precision precision)
    : graph_(network.graph), numbers_(network.layer), placement_(network.graph.values.size()) {
    plan_.precision = precision;
    for (ValueId input : graph_.inputs) plan_.inputs.push_back(place(input, plain_order(rank(input))));
}

void PlanBuilder::begin_node(size_t index) {
    node_ = &graph_.nodes[index];
    number_ = numbers_[index];
}

void PlanBuilder::refuse(const std::string& why) const {
    throw InputError(fmt::format("node \"{}\" ({}): {}", node_ ? node_->name : "",
                                 node_ ? operation_name(node_->operation) : "graph", why));
}

const Placement& PlanBuilder::placement(ValueId value) const {
    if (graph_.values[value].is_constant())
        refuse(fmt::format("its operand \"{}\" is a constant, which only Add, Sub, Mul and Div take here",
                           graph_.values[value].name));
    return placement_[value];
}

TensorId PlanBuilder::place(ValueId value, AxisOrder order) {
    const Shape& s = shape(value);
    const TensorId made = add_tensor(physical_dims(s.dims, order), s.per_image);
    placement_[value] = {made, std::move(order)};
    return made;
}

TensorId PlanBuilder::in_order(ValueId value, const AxisOrder& order) {
    const Placement from = placement(value);
    if (from.order == order) return from.tensor;
    const Shape& s = shape(value);
    TensorId result = from.tensor;
    if (moving_axes(s, from.order) != moving_axes(s, order)) {
        step::Transpose move;
        for (int axis : order)
            if (axis >= 0) move.permutation.push_back(position_of(from.order, axis));
        for (size_t p = 0; p < from.order.size(); ++p)
            if (from.order[p] < 0) move.permutation.push_back(static_cast<int>(p));
        std::vector<int64_t> moved;
        for (int p : move.permutation) moved.push_back(tensor(from.tensor).dims[static_cast<size_t>(p)]);
        result = add_tensor(moved, s.per_image);
        add_step(std::move(move), {from.tensor}, result);
    }
    const std::vector<int64_t> dims = physical_dims(s.dims, order);
    if (tensor(result).dims != dims) {
        const TensorId renamed = add_tensor(dims, s.per_image);
        add_step(step::Alias{}, {result}, renamed);
        result = renamed;
    }
    placement_[value] = {result, order};
    return result;
}

TensorId PlanBuilder::at_rank(ValueId value, size_t wanted) {
    const TensorId plain = as_plain(value);
    if (rank(value) == wanted) return plain;
    const TensorId wide = add_tensor(padded_dims(shape(value).dims, wanted), shape(value).per_image);
    add_step(step::Alias{}, {plain}, wide);
    return wide;
}

TensorId PlanBuilder::with_last_axis_last(ValueId value) {
    const Placement& at = placement(value);
    return at.order.back() == static_cast<int>(rank(value)) - 1 ? at.tensor : as_plain(value);
}

TensorId PlanBuilder::add_tensor(std::vector<int64_t> dims, bool per_image) {
    plan_.tensors.push_back({std::move(dims), per_image});
    return static_cast<TensorId>(plan_.tensors.size()) - 1;
}

ParameterId PlanBuilder::add_parameter(ParameterRole role, std::vector<float> value,
                                       std::optional<Perturbation> perturbation, AxisOrder order) {
    plan_.parameters.push_back({std::move(value), perturbation, {number_, role, std::move(order)}});
    return static_cast<ParameterId>(plan_.parameters.size()) - 1;
}

int PlanBuilder::add_crossbar(CrossbarLayer layer) {
    plan_.crossbars.push_back(std::move(layer));
    return static_cast<int>(plan_.crossbars.size()) - 1;
}

void PlanBuilder::add_step(PlanOperation operation, std::vector<TensorId> inputs, TensorId output) {
    plan_.steps.push_back({node_ ? node_->name : "", std::move(operation), std::move(inputs), output, {}});
}

void PlanBuilder::make(PlanOperation operation, std::vector<TensorId> inputs, AxisOrder order) {
    const TensorId output = place(node_->output, std::move(order));
    add_step(std::move(operation), std::move(inputs), output);
}

Plan PlanBuilder::finish() {
    for (ValueId output : graph_.outputs) {
        if (graph_.values[output].is_constant()) refuse("a graph output is a constant");
        plan_.outputs.push_back(as_plain(output));
    }
    return std::move(plan_);
}

}  // namespace mho
