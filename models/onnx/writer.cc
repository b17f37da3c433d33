// models/onnx/writer.cc - Graph -> an ONNX file: one node an operation, weights inline. To add an operation:
// its overload of NodeWriter::operator().
#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <utility>

#include "kernels/base/error.h"
#include "models/names.h"
#include "models/onnx/onnx.h"

namespace mho {

namespace {

constexpr int64_t kOpset = 20;  // the first with Gelu
constexpr int64_t kIrVersion = 9;

void set_dims(onnx::TensorProto& tensor, const std::vector<int64_t>& dims) {
    for (int64_t d : dims) tensor.add_dims(d);
}

class OnnxWriter {
  public:
    explicit OnnxWriter(const Graph& graph) : g_(graph) {}

    onnx::ModelProto write() {
        model_.set_ir_version(kIrVersion);
        model_.set_producer_name("mho");
        model_.add_opset_import()->set_version(kOpset);
        proto_ = model_.mutable_graph();
        proto_->set_name("mho");
        take_names();
        for (ValueId input : g_.inputs) describe(input, name(input), *proto_->add_input());
        add_constants();
        for (const Node& node : g_.nodes) {
            node_ = &node;
            std::visit(*this, node.operation);
        }
        add_outputs();
        return std::move(model_);
    }

    // One operation each: std::visit calls these.
    void operator()(const op::Conv& conv) {
        onnx::NodeProto& n = add("Conv");
        input(n, "weight", conv.weight);
        if (!conv.bias.empty()) input(n, "bias", conv.bias);
        add_window(n, conv.window, conv.spatial_rank, conv.window.pad_end);
        set(n, "dilations", tail(conv.window.dilation, conv.spatial_rank));
        set(n, "group", conv.groups);
    }
    void operator()(const op::Linear& linear) {
        if (value(node_->inputs[0]).shape.dims.size() == 2) {
            onnx::NodeProto& n = add("Gemm");
            input(n, "weight", linear.weight);
            if (!linear.bias.empty()) input(n, "bias", linear.bias);
            return set(n, "transB", int64_t{1});
        }
        const int64_t outputs = linear.weight.dims[0], inputs = linear.weight.dims[1];
        Tensor turned{{inputs, outputs}, {}};
        for (int64_t k = 0; k < inputs; ++k)
            for (int64_t o = 0; o < outputs; ++o)
                turned.data.push_back(linear.weight.data[static_cast<size_t>(o * inputs + k)]);
        const bool biased = !linear.bias.empty();
        onnx::NodeProto& product = add("MatMul");
        input(product, "weight", turned);
        if (!biased) return;
        product.set_output(0, value_names_.unique(product.output(0) + ":product"));
        input(add_after(product, "Add", ":sum"), "bias", linear.bias);
    }
    void operator()(const op::BatchNorm& norm) {
        onnx::NodeProto& n = add("BatchNormalization");
        input(n, "scale", norm.scale);
        input(n, "shift", norm.shift);
        input(n, "mean", norm.mean);
        input(n, "variance", norm.variance);
        set(n, "epsilon", norm.epsilon);
    }
    void operator()(const op::LayerNorm& norm) {
        onnx::NodeProto& n = add("LayerNormalization");
        input(n, "scale", norm.scale);
        if (!norm.shift.empty()) input(n, "shift", norm.shift);
        set(n, "axis", int64_t{norm.axis});
        set(n, "epsilon", norm.epsilon);
    }
    void operator()(const op::Activate& activate) {
        const Activation& a = activate.activation;
        switch (a.kind) {
            case ActivationKind::relu:
                add("Relu");
                return;
            case ActivationKind::clip: {
                onnx::NodeProto& n = add("Clip");
                input(n, "low", Tensor{{}, {a.alpha}});
                return input(n, "high", Tensor{{}, {a.beta}});
            }
            case ActivationKind::leaky_relu:
                return set(add("LeakyRelu"), "alpha", a.alpha);
            case ActivationKind::sigmoid:
                add("Sigmoid");
                return;
            case ActivationKind::hard_sigmoid: {
                onnx::NodeProto& n = add("HardSigmoid");
                set(n, "alpha", a.alpha);
                return set(n, "beta", a.beta);
            }
            case ActivationKind::hard_swish:
                add("HardSwish");
                return;
            case ActivationKind::silu: {
                onnx::NodeProto& sigmoid = add("Sigmoid", ":sigmoid");
                add_after(sigmoid, "Mul", "").add_input(sigmoid.input(0));
                return;
            }
            case ActivationKind::tanh:
                add("Tanh");
                return;
            case ActivationKind::gelu:
                add("Gelu");
                return;
            case ActivationKind::gelu_tanh:
                return set(add("Gelu"), "approximate", std::string("tanh"));
            case ActivationKind::erf:
                add("Erf");
                return;
            case ActivationKind::exp:
                add("Exp");
                return;
            case ActivationKind::sqrt:
                add("Sqrt");
                return;
        }
    }
    void operator()(const op::Binary& binary) {
        switch (binary.kind) {
            case BinaryKind::add:
                add("Add");
                return;
            case BinaryKind::subtract:
                add("Sub");
                return;
            case BinaryKind::multiply:
                add("Mul");
                return;
            case BinaryKind::divide:
                add("Div");
                return;
        }
    }
    void operator()(const op::Pool& pool) {
        const bool average = pool.kind == PoolKind::average;
        onnx::NodeProto& n = add(average ? "AveragePool" : "MaxPool");
        std::array<int64_t, 3> pad_end = pool.window.pad_end;
        bool ceil = false;
        for (size_t i = 0; i < 3; ++i) {
            pad_end[i] -= pool.ceil_extra[i];
            ceil = ceil || pool.ceil_extra[i] > 0;
        }
        add_window(n, pool.window, pool.spatial_rank, pad_end);
        set(n, "dilations", tail(pool.window.dilation, pool.spatial_rank));
        if (ceil) set(n, "ceil_mode", int64_t{1});
        if (average && pool.count_include_pad) set(n, "count_include_pad", int64_t{1});
    }
    void operator()(const op::ReduceMean& mean) {
        onnx::NodeProto& n = add("ReduceMean");
        input(n, "axes", {mean.axes.begin(), mean.axes.end()}, {static_cast<int64_t>(mean.axes.size())});
        set(n, "keepdims", int64_t{mean.keep_dims});
    }
    void operator()(const op::Reshape&) {
        const Shape& to = value(node_->output).shape;
        std::vector<int64_t> dims = to.dims;
        if (to.per_image && !dims.empty()) dims[0] = -1;
        const int64_t rank = static_cast<int64_t>(dims.size());
        input(add("Reshape"), "shape", std::move(dims), {rank});
    }
    void operator()(const op::Transpose& transpose) {
        set(add("Transpose"), "perm",
            std::vector<int64_t>(transpose.permutation.begin(), transpose.permutation.end()));
    }
    void operator()(const op::Concat& concat) { set(add("Concat"), "axis", int64_t{concat.axis}); }
    void operator()(const op::Slice& slice) {
        const Shape& from = value(node_->inputs[0]).shape;
        const Shape& to = value(node_->output).shape;
        std::vector<int64_t> begin, end, axes, step;
        for (size_t axis = 0; axis < slice.begin.size(); ++axis) {
            const bool whole =
                slice.begin[axis] == 0 && slice.step[axis] == 1 && to.dims[axis] == from.dims[axis];
            if (whole) continue;
            const int64_t last = slice.begin[axis] + slice.step[axis] * to.dims[axis];
            begin.push_back(slice.begin[axis]);
            // Past the front there is no index: -1 would be the last element.
            end.push_back(last < 0 ? std::numeric_limits<int64_t>::min() : last);
            axes.push_back(static_cast<int64_t>(axis));
            step.push_back(slice.step[axis]);
        }
        if (axes.empty()) {
            add("Identity");
            return;
        }
        const std::vector<int64_t> count{static_cast<int64_t>(axes.size())};
        onnx::NodeProto& n = add("Slice");
        input(n, "begin", begin, count);
        input(n, "end", end, count);
        input(n, "axes", axes, count);
        input(n, "step", step, count);
    }
    void operator()(const op::Gather& gather) {
        onnx::NodeProto& n = add("Gather");
        input(n, "indices", gather.indices, gather.indices_dims);
        set(n, "axis", int64_t{gather.axis});
    }
    void operator()(const op::Pad& pad) {
        std::vector<int64_t> pads = pad.begin;
        pads.insert(pads.end(), pad.end.begin(), pad.end.end());
        const int64_t count = static_cast<int64_t>(pads.size());
        onnx::NodeProto& n = add("Pad");
        input(n, "pads", std::move(pads), {count});
        if (pad.mode == PadMode::constant) input(n, "value", Tensor{{}, {pad.value}});
        set(n, "mode", std::string(name_of(pad.mode)));  // ONNX has the same words
    }
    void operator()(const op::Softmax& softmax) { set(add("Softmax"), "axis", int64_t{softmax.axis}); }

  private:
    const Value& value(ValueId id) const { return g_.values[static_cast<size_t>(id)]; }
    const std::string& name(ValueId id) const { return names_[static_cast<size_t>(id)]; }

    /// Gives every value and node a name of its own before any part of a node gets one: inputs and outputs
    /// first, which users know by name.
    void take_names() {
        names_.resize(g_.values.size());
        const auto take = [&](ValueId id) {
            std::string& own = names_[static_cast<size_t>(id)];
            if (own.empty()) own = value_names_.unique(value(id).name.empty() ? "value" : value(id).name);
        };
        for (ValueId id : g_.inputs) take(id);
        for (ValueId id : g_.outputs) take(id);
        for (size_t id = 0; id < g_.values.size(); ++id) take(static_cast<ValueId>(id));
        for (const Node& node : g_.nodes) node_names_.reserve(node.name);
    }

    void add_constants() {
        std::vector<char> added(g_.values.size(), 0);
        for (const Node& node : g_.nodes)
            for (ValueId id : node.inputs)
                if (value(id).is_constant() && !std::exchange(added[static_cast<size_t>(id)], 1))
                    add_initialiser(name(id), value(id).constant);
    }

    /// An output that is an input, or listed before, passes through an Identity: names in a file differ.
    void add_outputs() {
        std::set<ValueId> listed(g_.inputs.begin(), g_.inputs.end());
        for (ValueId id : g_.outputs) {
            if (listed.insert(id).second) {
                describe(id, name(id), *proto_->add_output());
                continue;
            }
            const std::string copy = value_names_.unique(name(id));
            onnx::NodeProto& n = *proto_->add_node();
            n.set_op_type("Identity");
            n.set_name(node_names_.unique(copy));
            n.add_input(name(id));
            n.add_output(copy);
            describe(id, copy, *proto_->add_output());
        }
    }

    void describe(ValueId id, const std::string& known_as, onnx::ValueInfoProto& info) const {
        info.set_name(known_as);
        auto* tensor = info.mutable_type()->mutable_tensor_type();
        tensor->set_elem_type(onnx::TensorProto::FLOAT);
        const Shape& shape = value(id).shape;
        for (size_t i = 0; i < shape.dims.size(); ++i) {
            auto* dim = tensor->mutable_shape()->add_dim();
            if (i == 0 && shape.per_image)
                dim->set_dim_param(shape.dims[0] == 1 ? "N" : fmt::format("{} * N", shape.dims[0]));
            else
                dim->set_dim_value(shape.dims[i]);
        }
        tensor->mutable_shape();
    }

    /// This graph node, or a part of it; it reads the graph node's inputs.
    onnx::NodeProto& add(const char* operation, const std::string& part = "") {
        onnx::NodeProto& n = *proto_->add_node();
        n.set_op_type(operation);
        n.set_name(name_of_part(part));
        for (ValueId id : node_->inputs) n.add_input(name(id));
        n.add_output(part.empty() ? name(node_->output) : value_names_.unique(name(node_->output) + part));
        return n;
    }
    /// The last part of this graph node, which reads `before`.
    onnx::NodeProto& add_after(const onnx::NodeProto& before, const char* operation,
                               const std::string& part) {
        onnx::NodeProto& n = *proto_->add_node();
        n.set_op_type(operation);
        n.set_name(name_of_part(part));
        n.add_input(before.output(0));
        n.add_output(name(node_->output));
        return n;
    }
    std::string name_of_part(const std::string& part) {
        return part.empty() ? node_->name : node_names_.unique(node_->name + part);
    }

    void add_initialiser(const std::string& name, const Tensor& tensor) {
        onnx::TensorProto& t = *proto_->add_initializer();
        t.set_name(name);
        t.set_data_type(onnx::TensorProto::FLOAT);
        set_dims(t, tensor.dims);
        t.set_raw_data(tensor.data.data(), tensor.data.size() * sizeof(float));
    }
    void input(onnx::NodeProto& n, const char* what, const Tensor& tensor) {
        const std::string own = value_names_.unique(node_->name + "." + what);
        add_initialiser(own, tensor);
        n.add_input(own);
    }
    void input(onnx::NodeProto& n, const char* what, const std::vector<int64_t>& values,
               const std::vector<int64_t>& dims) {
        onnx::TensorProto& t = *proto_->add_initializer();
        t.set_name(value_names_.unique(node_->name + "." + what));
        t.set_data_type(onnx::TensorProto::INT64);
        set_dims(t, dims);
        t.set_raw_data(values.data(), values.size() * sizeof(int64_t));
        n.add_input(t.name());
    }

    static onnx::AttributeProto& attribute(onnx::NodeProto& n, const char* name,
                                           onnx::AttributeProto::AttributeType type) {
        onnx::AttributeProto& a = *n.add_attribute();
        a.set_name(name);
        a.set_type(type);
        return a;
    }
    static void set(onnx::NodeProto& n, const char* name, int64_t value) {
        attribute(n, name, onnx::AttributeProto::INT).set_i(value);
    }
    static void set(onnx::NodeProto& n, const char* name, float value) {
        attribute(n, name, onnx::AttributeProto::FLOAT).set_f(value);
    }
    static void set(onnx::NodeProto& n, const char* name, const std::string& value) {
        attribute(n, name, onnx::AttributeProto::STRING).set_s(value);
    }
    static void set(onnx::NodeProto& n, const char* name, const std::vector<int64_t>& values) {
        onnx::AttributeProto& a = attribute(n, name, onnx::AttributeProto::INTS);
        for (int64_t v : values) a.add_ints(v);
    }

    /// The spatial axes that the network has: the last `rank` of depth, height, width.
    static std::vector<int64_t> tail(const std::array<int64_t, 3>& all, int rank) {
        return {all.end() - rank, all.end()};
    }
    static void add_window(onnx::NodeProto& n, const Window& window, int rank,
                           const std::array<int64_t, 3>& pad_end) {
        set(n, "kernel_shape", tail(window.kernel, rank));
        set(n, "strides", tail(window.stride, rank));
        std::vector<int64_t> pads = tail(window.pad_begin, rank);
        const std::vector<int64_t> end = tail(pad_end, rank);
        pads.insert(pads.end(), end.begin(), end.end());
        set(n, "pads", pads);
    }

    const Graph& g_;
    onnx::ModelProto model_;
    onnx::GraphProto* proto_ = nullptr;
    const Node* node_ = nullptr;
    std::vector<std::string> names_;  // of each value in the file
    UniqueNames value_names_, node_names_;
};

}  // namespace

void write_onnx(const Graph& graph, const std::filesystem::path& file) {
    const onnx::ModelProto model = OnnxWriter(graph).write();
    std::ofstream stream(file, std::ios::binary);
    if (!stream || !model.SerializeToOstream(&stream) || !stream.flush())
        throw RunError(fmt::format(
            "{}: the network cannot be written (is the disk full, or the folder not yours?)", file.string()));
}

}  // namespace mho
