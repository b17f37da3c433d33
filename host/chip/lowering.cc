#include "host/chip/lowering.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "host/chip/batch_norm.h"
#include "host/chip/parameter_range.h"
#include "kernels/base/error.h"
#include "kernels/steps/axes.h"

namespace mho {
namespace {

/// Where a graph value lies: physical axis p holds logical axis order[p]; -1 is an extent of 1 that no
/// logical axis has. So an ONNX Transpose mostly renames axes and moves nothing.
struct Placement {
    TensorId tensor = -1;
    std::vector<int> order;
};

std::vector<int> plain_order(size_t rank) {
    std::vector<int> order(rank);
    std::iota(order.begin(), order.end(), 0);
    return order;
}

/// N, depth, height, width, C; missing leading spatial axes have extent 1.
std::vector<int> channels_last_order(size_t rank) {
    std::vector<int> order{0};
    order.insert(order.end(), 5 - rank, -1);
    for (size_t axis = 2; axis < rank; ++axis) order.push_back(static_cast<int>(axis));
    order.push_back(1);
    return order;
}

int position_of(const std::vector<int>& order, int axis) {
    return static_cast<int>(std::find(order.begin(), order.end(), axis) - order.begin());
}

std::vector<int64_t> physical_dims(const std::vector<int64_t>& dims, const std::vector<int>& order) {
    std::vector<int64_t> result;
    for (int axis : order) result.push_back(axis < 0 ? 1 : dims[static_cast<size_t>(axis)]);
    return result;
}

/// The logical axes that decide where elements lie: extents of 1 do not, but the batch axis may grow.
std::vector<int> moving_axes(const Shape& shape, const std::vector<int>& order) {
    std::vector<int> axes;
    for (int axis : order)
        if (axis >= 0 && (shape.dims[static_cast<size_t>(axis)] != 1 || (axis == 0 && shape.per_image)))
            axes.push_back(axis);
    return axes;
}

/// Dims of a constant with leading ones up to `rank`, as ONNX broadcasts.
std::vector<int64_t> padded_dims(const std::vector<int64_t>& dims, size_t rank) {
    std::vector<int64_t> result(rank - dims.size(), 1);
    result.insert(result.end(), dims.begin(), dims.end());
    return result;
}

/// A row-major array transposed so that axis p of the result is axis order[p] (-1: an extent of 1).
std::vector<float> permuted(const std::vector<float>& data, const std::vector<int64_t>& dims,
                            const std::vector<int>& order) {
    const std::vector<int64_t> stride = row_major_strides(dims);
    const std::vector<int64_t> extents = physical_dims(dims, order);
    std::vector<int64_t> index(order.size(), 0);
    std::vector<float> result;
    result.reserve(data.size());
    for (size_t count = 0; count < data.size(); ++count) {
        int64_t from = 0;
        for (size_t p = 0; p < order.size(); ++p)
            if (order[p] >= 0) from += index[p] * stride[static_cast<size_t>(order[p])];
        result.push_back(data[static_cast<size_t>(from)]);
        for (size_t p = order.size(); p-- > 0;) {
            if (++index[p] < extents[p]) break;
            index[p] = 0;
        }
    }
    return result;
}

class Lowering {
  public:
    Lowering(const NumberedGraph& network, const LoweringOptions& options)
        : graph_(network.graph),
          layer_(network.layer),
          options_(options),
          placement_(graph_.values.size()),
          memory_readers_(count_memory_readers(graph_)) {}

    Plan run() {
        plan_.precision = options_.precision;
        for (ValueId input : graph_.inputs) {
            add_placement(input, plain_order(shape(input).dims.size()));
            plan_.inputs.push_back(placement_[input].tensor);
        }
        for (size_t i = 0; i < graph_.nodes.size(); ++i) {
            node_ = &graph_.nodes[i];
            number_ = layer_[i];
            std::visit([this](const auto& operation) { lower(operation); }, node_->operation);
        }
        for (ValueId output : graph_.outputs) {
            if (graph_.values[output].is_constant()) refuse("a graph output is a constant");
            plan_.outputs.push_back(in_order(output, plain_order(shape(output).dims.size())));
        }
        return std::move(plan_);
    }

  private:
    [[noreturn]] void refuse(const std::string& why) const {
        throw InputError(fmt::format("node \"{}\" ({}): {}", node_ ? node_->name : "",
                                     node_ ? operation_name(node_->operation) : "graph", why));
    }

    const Shape& shape(ValueId value) const { return graph_.values[value].shape; }

    TensorId add_tensor(std::vector<int64_t> dims, bool per_image) {
        plan_.tensors.push_back({std::move(dims), per_image});
        return static_cast<TensorId>(plan_.tensors.size()) - 1;
    }

    TensorId add_placement(ValueId value, std::vector<int> order) {
        const Shape& s = shape(value);
        placement_[value] = {add_tensor(physical_dims(s.dims, order), s.per_image), std::move(order)};
        return placement_[value].tensor;
    }

    ParameterId add_parameter(std::vector<float> value, std::optional<Perturbation> perturbation = {}) {
        plan_.parameters.push_back({std::move(value), perturbation});
        return static_cast<ParameterId>(plan_.parameters.size()) - 1;
    }

    void add_step(PlanOperation operation, std::vector<TensorId> inputs, TensorId output) {
        plan_.steps.push_back(
            {node_ ? node_->name : "", std::move(operation), std::move(inputs), output, {}});
    }

    /// Adds the step that makes this node's value, laid out as `order`.
    void make(PlanOperation operation, std::vector<TensorId> inputs, std::vector<int> order) {
        const TensorId output = add_placement(node_->output, std::move(order));
        add_step(std::move(operation), std::move(inputs), output);
    }

    const Placement& placement(ValueId value) const {
        if (graph_.values[value].is_constant())
            refuse(fmt::format("its operand \"{}\" is a constant, which only Add, Sub, Mul and Div take here",
                               graph_.values[value].name));
        return placement_[value];
    }

    /// The tensor of `value` laid out as `order`: as it lies, under other extents, or moved.
    TensorId in_order(ValueId value, const std::vector<int>& order) {
        const Placement from = placement(value);
        if (from.order == order) return from.tensor;
        const Shape& s = shape(value);
        const std::vector<int64_t> dims = physical_dims(s.dims, order);
        TensorId tensor = from.tensor;
        if (moving_axes(s, from.order) != moving_axes(s, order)) {
            step::Transpose move;
            for (int axis : order)
                if (axis >= 0) move.permutation.push_back(position_of(from.order, axis));
            for (size_t p = 0; p < from.order.size(); ++p)
                if (from.order[p] < 0) move.permutation.push_back(static_cast<int>(p));
            std::vector<int64_t> moved;
            for (int p : move.permutation) moved.push_back(plan_.tensors[from.tensor].dims[p]);
            tensor = add_tensor(moved, s.per_image);
            add_step(std::move(move), {from.tensor}, tensor);
        }
        if (plan_.tensors[tensor].dims != dims) {
            const TensorId renamed = add_tensor(dims, s.per_image);
            add_step(step::Alias{}, {tensor}, renamed);
            tensor = renamed;
        }
        placement_[value] = {tensor, order};
        return tensor;
    }

    TensorId as_image(ValueId value) {
        return in_order(value, channels_last_order(shape(value).dims.size()));
    }
    TensorId as_plain(ValueId value) { return in_order(value, plain_order(shape(value).dims.size())); }
    /// In plain order, with leading extents of 1 up to `rank` axes: how operands of fewer axes broadcast.
    TensorId at_rank(ValueId value, size_t rank) {
        const TensorId plain = as_plain(value);
        if (shape(value).dims.size() == rank) return plain;
        const TensorId wide = add_tensor(padded_dims(shape(value).dims, rank), shape(value).per_image);
        add_step(step::Alias{}, {plain}, wide);
        return wide;
    }
    ValueId input(size_t i = 0) const { return node_->inputs[i]; }

    // --- layers with parameters

    Perturbation perturbation(const ParameterConfig& model, double range, size_t first_element,
                              Domain domain = Domain::parameter) const {
        Perturbation p;
        p.range = static_cast<float>(range);
        p.sigma = static_cast<float>(model.sigma);
        p.mu = static_cast<float>(model.mu);
        p.distribution = model.distribution;
        p.domain = domain;
        p.layer = number_;
        p.first_element = first_element;
        return p;
    }

    struct WeightAndBias {
        ParameterId weight, bias;
    };

    /// The parameters of one layer, perturbed together where the layer is analog.
    WeightAndBias add_parameters(const std::vector<float>& weight, const std::vector<float>& bias,
                                 bool analog, const ParameterConfig& model) {
        if (!analog) return {add_parameter(weight), bias.empty() ? -1 : add_parameter(bias)};
        const LayerRanges ranges = layer_ranges(weight, bias, model);
        return {add_parameter(weight, perturbation(model, ranges.weight, 0)),
                bias.empty() ? -1 : add_parameter(bias, perturbation(model, ranges.bias, weight.size()))};
    }

    int add_crossbar(const Tensor& weight, const Tensor& bias, int64_t groups, const MappingRequest& asked) {
        const int64_t outputs = weight.dims[0] / groups;
        const int64_t inputs = static_cast<int64_t>(weight.data.size()) / weight.dims[0];
        plan_.crossbars.push_back(
            map_crossbar({weight.data, bias.data, groups, inputs, outputs, number_, node_->name}, asked));
        return static_cast<int>(plan_.crossbars.size()) - 1;
    }

    void lower(const op::Conv& conv) {
        const LayerChoice choice = options_.choose(*node_);
        const TensorId x = as_image(input());
        std::vector<int> order = channels_last_order(shape(node_->output).dims.size());
        if (choice.level == Level::crossbar) {
            const int crossbar = add_crossbar(conv.weight, conv.bias, conv.groups, choice.mapping);
            return make(step::Crossbar{conv.window, crossbar, false}, {x}, std::move(order));
        }
        const auto [weight, bias] = add_parameters(conv.weight.data, conv.bias.data,
                                                   choice.level == Level::parameter, choice.parameter);
        make(step::Conv{conv.window, conv.groups, weight, bias}, {x}, std::move(order));
    }

    /// Any order that keeps the last logical axis last.
    TensorId with_last_axis_last(ValueId value) {
        const int last = static_cast<int>(shape(value).dims.size()) - 1;
        if (placement(value).order.back() == last) return placement_[value].tensor;
        return as_plain(value);
    }

    void lower(const op::Linear& linear) {
        const LayerChoice choice = options_.choose(*node_);
        const TensorId x = with_last_axis_last(input());
        const std::vector<int> order = placement_[input()].order;
        if (choice.level == Level::crossbar) {
            const int crossbar = add_crossbar(linear.weight, linear.bias, 1, choice.mapping);
            return make(step::Crossbar{{}, crossbar, true}, {x}, order);
        }
        const auto [weight, bias] = add_parameters(linear.weight.data, linear.bias.data,
                                                   choice.level == Level::parameter, choice.parameter);
        make(step::Linear{weight, bias}, {x}, order);
    }

    void lower(const op::BatchNorm& norm) {
        const ChannelAffine affine = channel_affine(norm);
        const LayerChoice choice = options_.analog_batch_norm ? options_.choose(*node_) : LayerChoice{};
        const auto [scale, shift] =
            add_parameters(affine.scale, affine.shift, choice.level == Level::parameter, choice.parameter);
        const Placement from = placement(input());
        make(step::Affine{position_of(from.order, 1), scale, shift}, {from.tensor}, from.order);
    }

    void lower(const op::LayerNorm& norm) {
        const TensorId x = norm.axis == static_cast<int>(shape(input()).dims.size()) - 1
                               ? with_last_axis_last(input())
                               : as_plain(input());
        const std::vector<int> order = placement_[input()].order;
        step::LayerNorm step{position_of(order, norm.axis), norm.epsilon, add_parameter(norm.scale.data), -1};
        if (!norm.shift.empty()) step.shift = add_parameter(norm.shift.data);
        make(step, {x}, order);
    }

    // --- elementwise

    bool fuses_activation(TensorId tensor) const {
        if (plan_.steps.empty() || plan_.steps.back().output != tensor || plan_.steps.back().activation)
            return false;
        const PlanOperation& operation = plan_.steps.back().operation;
        return std::holds_alternative<step::Conv>(operation) ||
               std::holds_alternative<step::Linear>(operation) ||
               std::holds_alternative<step::Crossbar>(operation) ||
               std::holds_alternative<step::Affine>(operation) ||
               std::holds_alternative<step::Binary>(operation);
    }

    void lower(const op::Activate& activate) {
        const Placement from = placement(input());
        if (memory_readers_[input()] == 1 && fuses_activation(from.tensor)) {
            plan_.steps.back().activation = activate.activation;
            placement_[node_->output] = from;
        } else {
            make(step::Activate{activate.activation}, {from.tensor}, from.order);
        }
        if (options_.relu_levels > 0 && activate.activation.kind == ActivationKind::relu) {
            const TensorId x = placement_[node_->output].tensor;
            make(step::Quantise{options_.relu_levels, plan_.quantise_sites++}, {x}, from.order);
        }
    }

    /// One factor 1 + sigma n a channel and chip: docs/physics.md section 5.
    TensorId analog_identity(ValueId value, const ParameterConfig& model) {
        const Placement from = placement(value);
        const int axis = position_of(from.order, shape(value).dims.size() > 1 ? 1 : 0);
        const int64_t channels = plan_.tensors[from.tensor].dims[static_cast<size_t>(axis)];
        ParameterConfig no_mean = model;
        no_mean.mu = 0;
        const ParameterId scale = add_parameter(std::vector<float>(static_cast<size_t>(channels), 1.0f),
                                                perturbation(no_mean, 1, 0, Domain::identity));
        const PlanTensor like = plan_.tensors[from.tensor];
        const TensorId output = add_tensor(like.dims, like.per_image);
        add_step(step::Affine{axis, scale, -1}, {from.tensor}, output);
        return output;
    }

    void lower(const op::Binary& binary) {
        for (size_t i : {0u, 1u})
            if (graph_.values[input(i)].is_constant()) return with_constant(binary, i);
        const size_t rank = shape(node_->output).dims.size();
        if (shape(input(0)).dims.size() != shape(input(1)).dims.size())
            return make(step::Binary{binary.kind, -1, {}, false},
                        {at_rank(input(0), rank), at_rank(input(1), rank)}, plain_order(rank));
        std::vector<TensorId> operands{placement(input(0)).tensor, -1};
        const std::vector<int> order = placement_[input(0)].order;
        operands[1] = in_order(input(1), order);
        const ValueId identity = options_.analog_identity ? residual_identity(graph_, *node_) : -1;
        if (identity >= 0) {
            const LayerChoice choice = options_.choose(*node_);
            if (choice.level == Level::parameter)
                operands[identity == input(0) ? 0 : 1] = analog_identity(identity, choice.parameter);
        }
        make(step::Binary{binary.kind, -1, {}, false}, std::move(operands), order);
    }

    void with_constant(const op::Binary& binary, size_t constant) {
        const Tensor& value = graph_.values[input(constant)].constant;
        const ValueId other = input(1 - constant);
        const size_t rank = shape(node_->output).dims.size();
        const bool wider = rank > shape(other).dims.size();
        const std::vector<int64_t> dims = padded_dims(value.dims, rank);
        if (shape(other).per_image && rank > 0 && dims[0] != 1)
            refuse("its constant differs from image to image of the batch");
        const Placement from = wider ? Placement{at_rank(other, rank), plain_order(rank)} : placement(other);
        step::Binary step;
        step.kind = binary.kind;
        step.parameter = add_parameter(permuted(value.data, dims, from.order));
        step.parameter_dims = physical_dims(dims, from.order);
        step.parameter_is_left = constant == 0;
        make(step, {from.tensor}, from.order);
    }

    // --- pooling and reduction

    void lower(const op::Pool& pool) {
        const TensorId x = as_image(input());
        make(step::Pool{pool.kind, pool.window, pool.count_include_pad, pool.ceil_extra}, {x},
             channels_last_order(shape(node_->output).dims.size()));
    }

    /// The order after the logical axes in `gone` are dropped from it: they stay as extents of 1.
    static std::vector<int> without_axes(std::vector<int> order, const std::vector<int>& gone) {
        for (int& axis : order) {
            if (std::find(gone.begin(), gone.end(), axis) != gone.end())
                axis = -1;
            else
                axis -= static_cast<int>(
                    std::count_if(gone.begin(), gone.end(), [&](int g) { return g < axis; }));
        }
        return order;
    }

    void lower(const op::ReduceMean& mean) {
        const Placement from = placement(input());
        step::ReduceMean step;
        for (int axis : mean.axes) step.axes.push_back(position_of(from.order, axis));
        std::sort(step.axes.begin(), step.axes.end());
        make(step, {from.tensor}, mean.keep_dims ? from.order : without_axes(from.order, mean.axes));
    }

    // --- movement

    void lower(const op::Reshape&) {
        make(step::Alias{}, {as_plain(input())}, plain_order(shape(node_->output).dims.size()));
    }

    void lower(const op::Transpose& transpose) {
        const Placement from = placement(input());
        std::vector<int> order = from.order;
        for (int& axis : order)
            if (axis >= 0)
                axis = static_cast<int>(
                    std::find(transpose.permutation.begin(), transpose.permutation.end(), axis) -
                    transpose.permutation.begin());
        placement_[node_->output] = {from.tensor, std::move(order)};
    }

    void lower(const op::Concat& concat) {
        std::vector<TensorId> parts;
        const std::vector<int> order = placement(input()).order;
        for (ValueId value : node_->inputs) parts.push_back(in_order(value, order));
        make(step::Concat{position_of(order, concat.axis)}, std::move(parts), order);
    }

    /// Values given for logical axes, as physical ones; `missing` for axes that no logical one has.
    static std::vector<int64_t> by_position(const std::vector<int64_t>& values, const std::vector<int>& order,
                                            int64_t missing) {
        std::vector<int64_t> result;
        for (int axis : order) result.push_back(axis < 0 ? missing : values[static_cast<size_t>(axis)]);
        return result;
    }

    void lower(const op::Slice& slice) {
        const Placement from = placement(input());
        make(step::Slice{by_position(slice.begin, from.order, 0), by_position(slice.step, from.order, 1)},
             {from.tensor}, from.order);
    }

    void lower(const op::Pad& pad) {
        const Placement from = placement(input());
        make(step::Pad{pad.mode, by_position(pad.begin, from.order, 0), by_position(pad.end, from.order, 0),
                       pad.value},
             {from.tensor}, from.order);
    }

    void lower(const op::Gather& gather) {
        if (gather.indices_dims.size() > 1) as_plain(input());
        const Placement from = placement(input());
        step::Gather step{position_of(from.order, gather.axis), gather.indices};
        if (gather.indices_dims.size() == 1) return make(step, {from.tensor}, from.order);
        if (gather.indices_dims.empty())
            return make(step, {from.tensor}, without_axes(from.order, {gather.axis}));
        std::vector<int64_t> dims = plan_.tensors[from.tensor].dims;
        dims[static_cast<size_t>(gather.axis)] = static_cast<int64_t>(gather.indices.size());
        const TensorId flat = add_tensor(dims, shape(input()).per_image);
        add_step(step, {from.tensor}, flat);
        make(step::Alias{}, {flat}, plain_order(shape(node_->output).dims.size()));
    }

    void lower(const op::Softmax& softmax) {
        const Placement from = placement(input());
        make(step::Softmax{position_of(from.order, softmax.axis)}, {from.tensor}, from.order);
    }

    const Graph& graph_;
    const std::vector<uint32_t>& layer_;
    const LoweringOptions& options_;
    std::vector<Placement> placement_;
    std::vector<int> memory_readers_;
    const Node* node_ = nullptr;
    uint32_t number_ = 0;
    Plan plan_;
};

}  // namespace

Plan lower(const NumberedGraph& network, const LoweringOptions& options) {
    return Lowering(network, options).run();
}

Plan lower_digital(const NumberedGraph& network, Precision precision) {
    LoweringOptions options;
    options.precision = precision;
    options.choose = [](const Node&) { return LayerChoice{}; };
    return lower(network, options);
}

}  // namespace mho
