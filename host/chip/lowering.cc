#include "host/chip/lowering.h"

#include <algorithm>

#include "host/chip/batch_norm.h"
#include "host/chip/parameter_range.h"
#include "host/chip/plan_builder.h"

namespace mho {
namespace {

/// What the lowering of a node sees: the plan so far and what was asked for. One add() an operation.
struct Lowering {
    PlanBuilder plan;
    const LoweringOptions& options;
    const std::vector<int> memory_readers;  ///< of each value
};

// --- layers with parameters

Perturbation perturbation(const PlanBuilder& plan, const ParameterConfig& model, double range,
                          size_t first_element, Domain domain = Domain::parameter) {
    Perturbation p;
    p.range = static_cast<float>(range);
    p.sigma = static_cast<float>(model.sigma);
    p.mu = static_cast<float>(model.mu);
    p.distribution = model.distribution;
    p.domain = domain;
    p.layer = plan.number();
    p.first_element = first_element;
    return p;
}

struct ParameterPair {
    ParameterId first, second;
};

/// The parameters of one layer, perturbed together where the layer is analog. The second array may be empty.
ParameterPair add_parameters(PlanBuilder& plan, const LayerChoice& choice, ParameterRole first_role,
                             const std::vector<float>& first, ParameterRole second_role,
                             const std::vector<float>& second) {
    std::optional<Perturbation> of_first, of_second;
    if (choice.level == Level::parameter) {
        const ParameterConfig& model = choice.parameter;
        const LayerRanges ranges = layer_ranges(first, second, model);
        of_first = perturbation(plan, model, ranges.weight, 0);
        of_second = perturbation(plan, model, ranges.bias, first.size());
    }
    return {plan.add_parameter(first_role, first, of_first),
            second.empty() ? -1 : plan.add_parameter(second_role, second, of_second)};
}

/// Those of a convolution or linear layer.
template <class Layer>
ParameterPair add_weights(PlanBuilder& plan, const Layer& layer, const LayerChoice& choice) {
    return add_parameters(plan, choice, ParameterRole::weight, layer.weight.data, ParameterRole::bias,
                          layer.bias.data);
}

int add_crossbar(PlanBuilder& plan, const Tensor& weight, const Tensor& bias, int64_t groups,
                 const LayerChoice& choice) {
    const int64_t outputs = weight.dims[0] / groups;
    const int64_t inputs = static_cast<int64_t>(weight.data.size()) / weight.dims[0];
    return plan.add_crossbar(map_crossbar(
        {weight.data, bias.data, groups, inputs, outputs, plan.number(), plan.node().name}, choice.mapping));
}

void add(Lowering& to, const op::Conv& conv) {
    PlanBuilder& plan = to.plan;
    const LayerChoice choice = to.options.choose(plan.node());
    const TensorId x = plan.as_image(plan.input());
    AxisOrder order = channels_last_order(plan.rank(plan.node().output));
    if (choice.level == Level::crossbar) {
        const int crossbar = add_crossbar(plan, conv.weight, conv.bias, conv.groups, choice);
        return plan.make(step::Crossbar{conv.window, crossbar, false}, {x}, std::move(order));
    }
    const auto [weight, bias] = add_weights(plan, conv, choice);
    plan.make(step::Conv{conv.window, conv.groups, weight, bias}, {x}, std::move(order));
}

void add(Lowering& to, const op::Linear& linear) {
    PlanBuilder& plan = to.plan;
    const LayerChoice choice = to.options.choose(plan.node());
    const TensorId x = plan.with_last_axis_last(plan.input());
    const AxisOrder order = plan.placement(plan.input()).order;
    if (choice.level == Level::crossbar) {
        const int crossbar = add_crossbar(plan, linear.weight, linear.bias, 1, choice);
        return plan.make(step::Crossbar{{}, crossbar, true}, {x}, order);
    }
    const auto [weight, bias] = add_weights(plan, linear, choice);
    plan.make(step::Linear{weight, bias}, {x}, order);
}

void add(Lowering& to, const op::BatchNorm& norm) {
    PlanBuilder& plan = to.plan;
    const ChannelAffine affine = channel_affine(norm);
    LayerChoice choice = to.options.analog_batch_norm ? to.options.choose(plan.node()) : LayerChoice{};
    const auto [scale, shift] =
        add_parameters(plan, choice, ParameterRole::scale, affine.scale, ParameterRole::shift, affine.shift);
    const Placement from = plan.placement(plan.input());
    plan.make(step::Affine{position_of(from.order, 1), scale, shift}, {from.tensor}, from.order);
}

void add(Lowering& to, const op::LayerNorm& norm) {
    PlanBuilder& plan = to.plan;
    const ValueId input = plan.input();
    const bool over_last = norm.axis == static_cast<int>(plan.rank(input)) - 1;
    const TensorId x = over_last ? plan.with_last_axis_last(input) : plan.as_plain(input);
    const AxisOrder order = plan.placement(input).order;
    step::LayerNorm step{position_of(order, norm.axis), norm.epsilon,
                         plan.add_parameter(ParameterRole::scale, norm.scale.data), -1};
    if (!norm.shift.empty()) step.shift = plan.add_parameter(ParameterRole::shift, norm.shift.data);
    plan.make(step, {x}, order);
}

// --- elementwise

/// Whether `made` makes `tensor` and can apply an activation to it.
bool can_activate(const Step* made, TensorId tensor) {
    if (!made || made->output != tensor || made->activation) return false;
    const PlanOperation& operation = made->operation;
    return std::holds_alternative<step::Conv>(operation) || std::holds_alternative<step::Linear>(operation) ||
           std::holds_alternative<step::Crossbar>(operation) ||
           std::holds_alternative<step::Affine>(operation) || std::holds_alternative<step::Binary>(operation);
}

void add(Lowering& to, const op::Activate& activate) {
    PlanBuilder& plan = to.plan;
    const Placement from = plan.placement(plan.input());
    Step* const maker = plan.last_step();
    const bool fuses = to.options.fuse_activations && to.memory_readers[plan.input()] == 1;
    if (fuses && can_activate(maker, from.tensor)) {
        maker->activation = activate.activation;
        plan.rename(from);
    } else {
        plan.make(step::Activate{activate.activation}, {from.tensor}, from.order);
    }
    if (to.options.relu_levels > 0 && activate.activation.kind == ActivationKind::relu) {
        const TensorId x = plan.placement(plan.node().output).tensor;
        plan.make(step::Quantise{to.options.relu_levels, plan.add_quantise_site()}, {x}, from.order);
    }
}

/// One factor 1 + sigma n a channel and chip: docs/physics.md section 5.
TensorId analog_identity(PlanBuilder& plan, ValueId value, const ParameterConfig& model) {
    const Placement from = plan.placement(value);
    const int axis = position_of(from.order, plan.rank(value) > 1 ? 1 : 0);
    const PlanTensor like = plan.tensor(from.tensor);
    const size_t channels = static_cast<size_t>(like.dims[static_cast<size_t>(axis)]);
    ParameterConfig no_mean = model;
    no_mean.mu = 0;
    const ParameterId scale = plan.add_parameter(ParameterRole::identity, std::vector<float>(channels, 1.0f),
                                                 perturbation(plan, no_mean, 1, 0, Domain::identity));
    const TensorId output = plan.add_tensor(like.dims, like.per_image);
    plan.add_step(step::Affine{axis, scale, -1}, {from.tensor}, output);
    return output;
}

void add_with_constant(PlanBuilder& plan, const op::Binary& binary, size_t constant) {
    const Tensor& value = plan.graph().values[plan.input(constant)].constant;
    const ValueId other = plan.input(1 - constant);
    const size_t rank = plan.rank(plan.node().output);
    const bool wider = rank > plan.rank(other);
    const std::vector<int64_t> dims = padded_dims(value.dims, rank);
    if (plan.shape(other).per_image && rank > 0 && dims[0] != 1)
        plan.refuse("its constant differs from image to image of the batch");
    const Placement from =
        wider ? Placement{plan.at_rank(other, rank), plain_order(rank)} : plan.placement(other);
    step::Binary step;
    step.kind = binary.kind;
    step.parameter =
        plan.add_parameter(ParameterRole::constant, permuted(value.data, dims, from.order), {}, from.order);
    step.parameter_dims = physical_dims(dims, from.order);
    step.parameter_is_left = constant == 0;
    plan.make(step, {from.tensor}, from.order);
}

void add(Lowering& to, const op::Binary& binary) {
    PlanBuilder& plan = to.plan;
    const ValueId left = plan.input(0), right = plan.input(1);
    for (size_t i : {0u, 1u})
        if (plan.graph().values[plan.input(i)].is_constant()) return add_with_constant(plan, binary, i);
    const size_t rank = plan.rank(plan.node().output);
    const step::Binary step{binary.kind, -1, {}, false};
    if (plan.rank(left) != plan.rank(right)) {
        const TensorId a = plan.at_rank(left, rank), b = plan.at_rank(right, rank);
        return plan.make(step, {a, b}, plain_order(rank));
    }
    std::vector<TensorId> operands{plan.placement(left).tensor, -1};
    const AxisOrder order = plan.placement(left).order;
    operands[1] = plan.in_order(right, order);
    const ValueId identity = to.options.analog_identity ? residual_identity(plan.graph(), plan.node()) : -1;
    if (identity >= 0) {
        const LayerChoice choice = to.options.choose(plan.node());
        if (choice.level == Level::parameter)
            operands[identity == left ? 0 : 1] = analog_identity(plan, identity, choice.parameter);
    }
    plan.make(step, std::move(operands), order);
}

void add(Lowering& to, const op::Softmax& softmax) {
    const Placement from = to.plan.placement(to.plan.input());
    to.plan.make(step::Softmax{position_of(from.order, softmax.axis)}, {from.tensor}, from.order);
}

// --- pooling and reduction

void add(Lowering& to, const op::Pool& pool) {
    const TensorId x = to.plan.as_image(to.plan.input());
    to.plan.make(step::Pool{pool.kind, pool.window, pool.count_include_pad, pool.ceil_extra}, {x},
                 channels_last_order(to.plan.rank(to.plan.node().output)));
}

void add(Lowering& to, const op::ReduceMean& mean) {
    const Placement from = to.plan.placement(to.plan.input());
    step::ReduceMean step;
    for (int axis : mean.axes) step.axes.push_back(position_of(from.order, axis));
    std::sort(step.axes.begin(), step.axes.end());
    to.plan.make(step, {from.tensor}, mean.keep_dims ? from.order : without_axes(from.order, mean.axes));
}

// --- movement

void add(Lowering& to, const op::Reshape&) {
    const TensorId x = to.plan.as_plain(to.plan.input());
    to.plan.make(step::Alias{}, {x}, plain_order(to.plan.rank(to.plan.node().output)));
}

void add(Lowering& to, const op::Transpose& transpose) {
    Placement renamed = to.plan.placement(to.plan.input());
    for (int& axis : renamed.order)
        if (axis >= 0) axis = position_of(transpose.permutation, axis);
    to.plan.rename(std::move(renamed));
}

void add(Lowering& to, const op::Concat& concat) {
    std::vector<TensorId> parts;
    const AxisOrder order = to.plan.placement(to.plan.input()).order;
    for (ValueId value : to.plan.node().inputs) parts.push_back(to.plan.in_order(value, order));
    to.plan.make(step::Concat{position_of(order, concat.axis)}, std::move(parts), order);
}

void add(Lowering& to, const op::Slice& slice) {
    const Placement from = to.plan.placement(to.plan.input());
    to.plan.make(step::Slice{by_position(slice.begin, from.order, 0), by_position(slice.step, from.order, 1)},
                 {from.tensor}, from.order);
}

void add(Lowering& to, const op::Pad& pad) {
    const Placement from = to.plan.placement(to.plan.input());
    to.plan.make(step::Pad{pad.mode, by_position(pad.begin, from.order, 0),
                           by_position(pad.end, from.order, 0), pad.value},
                 {from.tensor}, from.order);
}

void add(Lowering& to, const op::Gather& gather) {
    PlanBuilder& plan = to.plan;
    if (gather.indices_dims.size() > 1) plan.as_plain(plan.input());
    const Placement from = plan.placement(plan.input());
    const step::Gather step{position_of(from.order, gather.axis), gather.indices};
    if (gather.indices_dims.size() == 1) return plan.make(step, {from.tensor}, from.order);
    if (gather.indices_dims.empty())
        return plan.make(step, {from.tensor}, without_axes(from.order, {gather.axis}));
    std::vector<int64_t> dims = plan.tensor(from.tensor).dims;
    dims[static_cast<size_t>(gather.axis)] = static_cast<int64_t>(gather.indices.size());
    const TensorId flat = plan.add_tensor(dims, plan.shape(plan.input()).per_image);
    plan.add_step(step, {from.tensor}, flat);
    plan.make(step::Alias{}, {flat}, plain_order(plan.rank(plan.node().output)));
}

}  // namespace

Plan lower(const NumberedGraph& network, const LoweringOptions& options) {
    Lowering to{PlanBuilder(network, options.precision), options, count_memory_readers(network.graph)};
    for (size_t i = 0; i < network.graph.nodes.size(); ++i) {
        to.plan.begin_node(i);
        std::visit([&to](const auto& operation) { add(to, operation); }, network.graph.nodes[i].operation);
    }
    return to.plan.finish();
}

Plan lower_digital(const NumberedGraph& network, Precision precision) {
    LoweringOptions options;
    options.precision = precision;
    options.choose = [](const Node&) { return LayerChoice{}; };
    return lower(network, options);
}

}  // namespace mho
