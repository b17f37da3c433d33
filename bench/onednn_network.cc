#include "bench/onednn_network.h"

#include <cstring>

#include "kernels/base/error.h"

namespace mho::bench {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
constexpr auto kF32 = memory::data_type::f32;

memory::desc any_format(const std::vector<int64_t>& dims) { return {dims, kF32, Tag::any}; }

memory::desc plain_format(const std::vector<int64_t>& dims) {
    constexpr Tag tags[] = {Tag::undef, Tag::a, Tag::ab, Tag::abc, Tag::abcd, Tag::abcde};
    return {dims, kF32, tags[dims.size()]};
}

dnnl::primitive_attr with_relu(bool relu) {
    dnnl::primitive_attr attributes;
    if (relu) {
        dnnl::post_ops operations;
        operations.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
        attributes.set_post_ops(operations);
    }
    return attributes;
}

memory::dims spatial(const std::array<int64_t, 3>& values) { return {values[1], values[2]}; }

}  // namespace

OneDnnNetwork::OneDnnNetwork(const Graph& graph, int64_t batch) : graph_(&graph), batch_(batch) {
    build(graph);
}

void OneDnnNetwork::add(const dnnl::primitive& primitive, Arguments arguments) {
    steps_.emplace_back(primitive, std::move(arguments));
}

dnnl::memory OneDnnNetwork::reordered(const memory& from, const memory::desc& to) {
    if (from.get_desc() == to) return from;
    memory result(to, engine_);
    add(dnnl::reorder(from, result), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, result}});
    return result;
}

dnnl::memory OneDnnNetwork::constant(std::vector<float> values, const memory::desc& desc) {
    std::vector<int64_t> dims(desc.data.dims, desc.data.dims + desc.data.ndims);
    memory plain(plain_format(dims), engine_);
    std::memcpy(plain.get_data_handle(), values.data(), values.size() * sizeof(float));
    memory result(desc, engine_);
    dnnl::reorder(plain, result).execute(stream_, plain, result);
    stream_.wait();
    return result;
}

void OneDnnNetwork::convolve(const Node& node, const op::Conv& conv, bool relu) {
    const Edge& x = edges_.at(node.inputs[0]);
    std::vector<int64_t> y = graph_->values[node.output].shape.dims, w = conv.weight.dims;
    y[0] = batch_;
    if (conv.groups > 1) {
        w.insert(w.begin(), conv.groups);
        w[1] /= conv.groups;
    }
    memory::dims dilation = spatial(conv.window.dilation);
    for (auto& d : dilation) --d;
    const dnnl::convolution_forward::desc desc(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_auto, any_format(x.dims),
        any_format(w), any_format({y[1]}), any_format(y), spatial(conv.window.stride), dilation,
        spatial(conv.window.pad_begin), spatial(conv.window.pad_end));
    const dnnl::convolution_forward::primitive_desc chosen(desc, with_relu(relu), engine_);
    std::vector<float> bias = conv.bias.data;
    bias.resize(static_cast<size_t>(y[1]), 0.0f);
    const memory result(chosen.dst_desc(), engine_);
    const memory source = reordered(x.memory, chosen.src_desc());
    add(dnnl::convolution_forward(chosen),
        {{DNNL_ARG_SRC, source},
         {DNNL_ARG_WEIGHTS, constant(conv.weight.data, chosen.weights_desc())},
         {DNNL_ARG_BIAS, constant(bias, chosen.bias_desc())},
         {DNNL_ARG_DST, result}});
    edges_[node.output] = {result, y};
}

void OneDnnNetwork::normalise(const Node& node, const op::BatchNorm& norm, bool relu) {
    using dnnl::normalization_flags;
    const Edge& x = edges_.at(node.inputs[0]);
    auto flags = normalization_flags::use_global_stats | normalization_flags::use_scale_shift;
    if (relu) flags |= normalization_flags::fuse_norm_relu;
    const dnnl::batch_normalization_forward::primitive_desc chosen(
        {dnnl::prop_kind::forward_inference, x.memory.get_desc(), norm.epsilon, flags}, engine_);
    std::vector<float> scale_shift = norm.scale.data;
    scale_shift.insert(scale_shift.end(), norm.shift.data.begin(), norm.shift.data.end());
    const memory result(chosen.dst_desc(), engine_);
    add(dnnl::batch_normalization_forward(chosen),
        {{DNNL_ARG_SRC, x.memory},
         {DNNL_ARG_MEAN, constant(norm.mean.data, chosen.mean_desc())},
         {DNNL_ARG_VARIANCE, constant(norm.variance.data, chosen.variance_desc())},
         {DNNL_ARG_SCALE_SHIFT, constant(scale_shift, chosen.weights_desc())},
         {DNNL_ARG_DST, result}});
    edges_[node.output] = {result, x.dims};
}

void OneDnnNetwork::multiply(const Node& node, const op::Linear& linear) {
    const Edge& x = edges_.at(node.inputs[0]);
    const std::vector<int64_t> y{batch_, linear.weight.dims[0]};
    const dnnl::inner_product_forward::primitive_desc chosen(
        {dnnl::prop_kind::forward_inference, any_format(x.dims), any_format(linear.weight.dims),
         any_format({linear.weight.dims[0]}), any_format(y)},
        engine_);
    std::vector<float> bias = linear.bias.data;
    bias.resize(static_cast<size_t>(y[1]), 0.0f);
    const memory result(chosen.dst_desc(), engine_);
    const memory source = reordered(x.memory, chosen.src_desc());
    add(dnnl::inner_product_forward(chosen),
        {{DNNL_ARG_SRC, source},
         {DNNL_ARG_WEIGHTS, constant(linear.weight.data, chosen.weights_desc())},
         {DNNL_ARG_BIAS, constant(bias, chosen.bias_desc())},
         {DNNL_ARG_DST, result}});
    edges_[node.output] = {result, y};
}

void OneDnnNetwork::add_tensors(const Node& node, bool relu) {
    const Edge &a = edges_.at(node.inputs[0]), &b = edges_.at(node.inputs[1]);
    const memory right = reordered(b.memory, a.memory.get_desc());
    const memory result(a.memory.get_desc(), engine_);
    const dnnl::binary::primitive_desc chosen(
        {dnnl::algorithm::binary_add, a.memory.get_desc(), right.get_desc(), result.get_desc()},
        with_relu(relu), engine_);
    add(dnnl::binary(chosen), {{DNNL_ARG_SRC_0, a.memory}, {DNNL_ARG_SRC_1, right}, {DNNL_ARG_DST, result}});
    edges_[node.output] = {result, a.dims};
}

void OneDnnNetwork::rectify(const Node& node) {
    const Edge& x = edges_.at(node.inputs[0]);
    const memory result(x.memory.get_desc(), engine_);
    const dnnl::eltwise_forward::primitive_desc chosen(
        {dnnl::prop_kind::forward_inference, dnnl::algorithm::eltwise_relu, x.memory.get_desc(), 0.0f, 0.0f},
        engine_);
    add(dnnl::eltwise_forward(chosen), {{DNNL_ARG_SRC, x.memory}, {DNNL_ARG_DST, result}});
    edges_[node.output] = {result, x.dims};
}

/// Global average pooling.
void OneDnnNetwork::average(const Node& node) {
    const Edge& x = edges_.at(node.inputs[0]);
    const std::vector<int64_t> y{batch_, x.dims[1], 1, 1};
    const dnnl::pooling_forward::primitive_desc chosen({dnnl::prop_kind::forward_inference,
                                                        dnnl::algorithm::pooling_avg_exclude_padding,
                                                        x.memory.get_desc(),
                                                        any_format(y),
                                                        {1, 1},
                                                        {x.dims[2], x.dims[3]},
                                                        {0, 0},
                                                        {0, 0}},
                                                       engine_);
    const memory result(chosen.dst_desc(), engine_);
    add(dnnl::pooling_forward(chosen), {{DNNL_ARG_SRC, x.memory}, {DNNL_ARG_DST, result}});
    std::vector<int64_t> dims = graph_->values[node.output].shape.dims;  // with or without the extents of 1
    dims[0] = batch_;
    const memory plain = reordered(result, plain_format(y));
    kept_.push_back(plain);
    edges_[node.output] = {memory(plain_format(dims), engine_, plain.get_data_handle()), dims};
}

void OneDnnNetwork::reshape(const Node& node) {
    const Edge& x = edges_.at(node.inputs[0]);
    std::vector<int64_t> y = graph_->values[node.output].shape.dims;
    y[0] = batch_;
    const memory plain = reordered(x.memory, plain_format(x.dims));
    kept_.push_back(plain);
    edges_[node.output] = {memory(plain_format(y), engine_, plain.get_data_handle()), y};
}

void OneDnnNetwork::build(const Graph& graph) {
    std::vector<int64_t> dims = graph.values[graph.inputs[0]].shape.dims;
    dims[0] = batch_;
    input_ = memory(plain_format(dims), engine_);
    edges_[graph.inputs[0]] = {input_, dims};
    std::vector<int> readers(graph.values.size(), 0);
    for (const Node& node : graph.nodes)
        for (ValueId value : node.inputs) ++readers[value];
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
        const Node& node = graph.nodes[i];
        if (edges_.contains(node.output)) continue;  // a ReLU that the node before it has taken
        const Node* next = i + 1 < graph.nodes.size() ? &graph.nodes[i + 1] : nullptr;
        const auto* activate = next ? std::get_if<op::Activate>(&next->operation) : nullptr;
        const bool relu = activate && activate->activation.kind == ActivationKind::relu &&
                          next->inputs[0] == node.output && readers[node.output] == 1;
        if (const auto* conv = std::get_if<op::Conv>(&node.operation))
            convolve(node, *conv, relu);
        else if (const auto* norm = std::get_if<op::BatchNorm>(&node.operation))
            normalise(node, *norm, relu);
        else if (const auto* linear = std::get_if<op::Linear>(&node.operation))
            multiply(node, *linear);
        else if (std::holds_alternative<op::Binary>(node.operation))
            add_tensors(node, relu);
        else if (std::holds_alternative<op::ReduceMean>(node.operation))
            average(node);
        else if (std::holds_alternative<op::Reshape>(node.operation))
            reshape(node);
        else if (std::holds_alternative<op::Activate>(node.operation))
            rectify(node);
        else
            throw InputError("the oneDNN reference does not cover " +
                             std::string(operation_name(node.operation)));
        const bool taken = relu && (std::holds_alternative<op::Conv>(node.operation) ||
                                    std::holds_alternative<op::BatchNorm>(node.operation) ||
                                    std::holds_alternative<op::Binary>(node.operation));
        if (taken) edges_[next->output] = edges_.at(node.output);
    }
    const Edge& last = edges_.at(graph.outputs[0]);
    output_ = reordered(last.memory, plain_format(last.dims));
}

std::span<const float> OneDnnNetwork::run(std::span<const float> images) {
    std::memcpy(input_.get_data_handle(), images.data(), images.size_bytes());
    for (auto& [primitive, arguments] : steps_) primitive.execute(stream_, arguments);
    stream_.wait();
    const size_t count = output_.get_desc().get_size() / sizeof(float);
    return {static_cast<const float*>(output_.get_data_handle()), count};
}

}  // namespace mho::bench
