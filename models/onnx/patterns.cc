#include "models/onnx/patterns.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>

namespace mho {

namespace {

// A function of one variable is told by its values where it bends, and far out on both sides, where nothing
// but a clip bends it. Float constants in files are good to 1e-7.
constexpr size_t kNearSamples = 61;
constexpr double kFirstSample = -6.1, kSampleStep = 0.21, kSameValue = 2e-6;
constexpr double kFarSamples[] = {7, 8, 9, 10, 12, 15, 20, 30, 50, 100, 1e3, 1e4, 1e6, 1e9, 1e15, 1e30};
constexpr size_t kSamples = kNearSamples + 2 * std::size(kFarSamples);
using Samples = std::array<double, kSamples>;

constexpr size_t kLongestPattern = 12;  // nodes

double activated_exactly(const Activation& a, double x) {
    const auto hard_sigmoid = [](double alpha, double beta, double v) {
        return std::min(std::max(alpha * v + beta, 0.0), 1.0);
    };
    switch (a.kind) {
        case ActivationKind::relu:
            return std::max(x, 0.0);
        case ActivationKind::clip:
            return std::min(std::max(x, static_cast<double>(a.alpha)), static_cast<double>(a.beta));
        case ActivationKind::leaky_relu:
            return x < 0 ? static_cast<double>(a.alpha) * x : x;
        case ActivationKind::sigmoid:
            return 1 / (1 + std::exp(-x));
        case ActivationKind::hard_sigmoid:
            return hard_sigmoid(static_cast<double>(a.alpha), static_cast<double>(a.beta), x);
        case ActivationKind::hard_swish:
            return x * hard_sigmoid(1.0 / 6, 0.5, x);
        case ActivationKind::silu:
            return x / (1 + std::exp(-x));
        case ActivationKind::tanh:
            return std::tanh(x);
        case ActivationKind::gelu:
            return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
        case ActivationKind::gelu_tanh:
            return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
        case ActivationKind::erf:
            return std::erf(x);
        case ActivationKind::exp:
            return std::exp(x);
        case ActivationKind::sqrt:
            return std::sqrt(x);
    }
    return 0;
}

class Patterns {
  public:
    explicit Patterns(Graph graph)
        : g_(std::move(graph)), producer_(g_.values.size(), -1), readers_(g_.values.size(), 0) {
        for (size_t i = 0; i < g_.nodes.size(); ++i) {
            producer_[at(g_.nodes[i].output)] = static_cast<int>(i);
            for (ValueId input : g_.nodes[i].inputs) ++readers_[at(input)];
        }
        for (ValueId output : g_.outputs) ++readers_[at(output)];
    }

    Graph run() {
        for (Node& node : g_.nodes) {
            attach_bias(node);
            recognise_activation(node);
            recognise_layer_norm(node);
            attach_scale_or_shift(node);
        }
        return std::move(g_);
    }

  private:
    static size_t at(ValueId id) { return static_cast<size_t>(id); }
    const Value& value(ValueId id) const { return g_.values[at(id)]; }

    /// The node that makes `id`, where it is a T.
    template <class T>
    const Node* made_by(ValueId id) const {
        if (producer_[at(id)] < 0) return nullptr;
        const Node& node = g_.nodes[static_cast<size_t>(producer_[at(id)])];
        return std::holds_alternative<T>(node.operation) ? &node : nullptr;
    }
    const Node* binary(ValueId id, BinaryKind kind) const {
        const Node* node = made_by<op::Binary>(id);
        return node && std::get<op::Binary>(node->operation).kind == kind ? node : nullptr;
    }
    static bool is_binary(const Node& node, BinaryKind kind) {
        const auto* b = std::get_if<op::Binary>(&node.operation);
        return b && b->kind == kind;
    }
    /// Index of the input that is a constant, where exactly one is.
    std::optional<size_t> constant_input(const Node& node) const {
        const bool first = value(node.inputs[0]).is_constant(), second = value(node.inputs[1]).is_constant();
        if (first == second) return std::nullopt;
        return first ? 0 : 1;
    }

    void replace(Node& node, Operation operation, ValueId input) {
        node.operation = std::move(operation);
        node.inputs = {input};
    }

    /// The constant input of `node` as one number an index of the last axes `dims` of the other one, `from`;
    /// or nothing where it varies along others, or gives the result extents that `from` has not.
    std::optional<Tensor> along_last_axes(const Node& node, size_t constant, ValueId from,
                                          const std::vector<int64_t>& dims) const {
        if (value(node.output).shape != value(from).shape) return std::nullopt;
        Tensor t = value(node.inputs[constant]).constant;
        while (t.dims.size() > dims.size() && t.dims[0] == 1) t.dims.erase(t.dims.begin());
        if (t.dims != dims) return std::nullopt;
        return t;
    }

    /// The constant input of `node` as one number an index of `axis` of the other one, `from`; or nothing
    /// where it varies along others, or gives the result extents that `from` has not.
    std::optional<Tensor> along_axis(const Node& node, size_t constant, ValueId from, size_t axis) const {
        const std::vector<int64_t>& dims = value(from).shape.dims;
        if (value(node.output).shape != value(from).shape) return std::nullopt;
        const Tensor& t = value(node.inputs[constant]).constant;
        const int64_t count = dims[axis];
        if (std::ssize(t.data) == 1)
            return Tensor{{count}, std::vector<float>(static_cast<size_t>(count), t.data[0])};
        const size_t missing = dims.size() - t.dims.size();  // leading axes, which broadcast
        if (axis < missing || t.dims[axis - missing] != count || std::ssize(t.data) != count)
            return std::nullopt;
        return Tensor{{count}, t.data};
    }

    /// What is added to every output of a layer is its bias.
    void attach_bias(Node& node) {
        if (!is_binary(node, BinaryKind::add)) return;
        const auto constant = constant_input(node);
        if (!constant) return;
        const ValueId sum = node.inputs[1 - *constant];
        if (readers_[at(sum)] != 1) return;
        if (const Node* product = made_by<op::Linear>(sum))
            add_bias<op::Linear>(node, *constant, *product, value(sum).shape.dims.size() - 1);
        else if (const Node* convolution = made_by<op::Conv>(sum))
            add_bias<op::Conv>(node, *constant, *convolution, 1);
    }

    template <class Layer>
    void add_bias(Node& node, size_t constant, const Node& made, size_t channel_axis) {
        Layer layer = std::get<Layer>(made.operation);
        const auto bias = along_axis(node, constant, made.output, channel_axis);
        if (!bias) return;
        if (layer.bias.empty()) layer.bias = {bias->dims, std::vector<float>(bias->data.size(), 0.0f)};
        for (size_t i = 0; i < bias->data.size(); ++i) layer.bias.data[i] += bias->data[i];
        const ValueId input = made.inputs[0];
        // The layer is known by the name of its product.
        Node& product = g_.nodes[static_cast<size_t>(producer_[at(made.output)])];
        std::swap(node.name, product.name);
        std::swap(node.also, product.also);
        replace(node, std::move(layer), input);
    }

    /// Values of `id` as a function of `root`, where elementwise nodes with scalar constants alone lie
    /// between.
    const Samples* samples(ValueId id, std::map<ValueId, std::optional<Samples>>& known) const {
        if (const auto found = known.find(id); found != known.end())
            return found->second ? &*found->second : nullptr;
        std::optional<Samples>& result = known[id];
        if (known.size() > 2 * kLongestPattern) return nullptr;
        if (value(id).is_constant()) {
            if (value(id).constant.data.size() == 1) {
                result.emplace();
                result->fill(static_cast<double>(value(id).constant.data[0]));
            }
        } else if (const Node* a = made_by<op::Activate>(id)) {
            if (const Samples* x = samples(a->inputs[0], known)) {
                result.emplace();
                for (size_t i = 0; i < kSamples; ++i)
                    (*result)[i] =
                        activated_exactly(std::get<op::Activate>(a->operation).activation, (*x)[i]);
            }
        } else if (const Node* b = made_by<op::Binary>(id)) {
            const Samples *x = samples(b->inputs[0], known), *y = samples(b->inputs[1], known);
            if (x && y) {
                result.emplace();
                for (size_t i = 0; i < kSamples; ++i)
                    (*result)[i] = combined(std::get<op::Binary>(b->operation).kind, (*x)[i], (*y)[i]);
            }
        }
        return result ? &*result : nullptr;
    }

    static bool same(const Samples& a, const Samples& b) {
        for (size_t i = 0; i < kSamples; ++i)
            if (!(std::abs(a[i] - b[i]) <= kSameValue * std::max(1.0, std::abs(b[i])))) return false;
        return true;
    }

    static Samples sample_points() {
        Samples x{};
        for (size_t i = 0; i < kNearSamples; ++i) x[i] = kFirstSample + kSampleStep * static_cast<double>(i);
        size_t next = kNearSamples;
        for (double far : kFarSamples) {
            x[next++] = far;
            x[next++] = -far;
        }
        return x;
    }

    /// Computed values that `id` is made from by elementwise nodes, nearest first.
    std::vector<ValueId> elementwise_ancestors(ValueId id) const {
        std::vector<ValueId> found{id};
        std::set<ValueId> seen{id};
        for (size_t i = 0; i < found.size() && found.size() < 2 * kLongestPattern; ++i) {
            if (!made_by<op::Activate>(found[i]) && !made_by<op::Binary>(found[i])) continue;
            for (ValueId input : g_.nodes[static_cast<size_t>(producer_[at(found[i])])].inputs)
                if (!value(input).is_constant() && seen.insert(input).second) found.push_back(input);
        }
        found.erase(found.begin());
        return found;
    }

    void recognise_activation(Node& node) {
        if (!is_binary(node, BinaryKind::multiply) && !is_binary(node, BinaryKind::divide)) return;
        static const Samples points = sample_points();
        for (ValueId root : elementwise_ancestors(node.output)) {
            if (value(root).shape != value(node.output).shape) continue;
            std::map<ValueId, std::optional<Samples>> known{{root, points}};
            const Samples* result = samples(node.output, known);
            if (!result) continue;
            for (ActivationKind kind : {ActivationKind::silu, ActivationKind::hard_swish,
                                        ActivationKind::gelu, ActivationKind::gelu_tanh}) {
                Samples wanted{};
                for (size_t i = 0; i < kSamples; ++i) wanted[i] = activated_exactly({kind, 0, 0}, points[i]);
                if (same(*result, wanted)) return replace(node, op::Activate{{kind, 0, 0}}, root);
            }
        }
    }

    /// The axis from which `mean` averages to the end, where it does and keeps the axes.
    std::optional<int> trailing_axis(const Node& mean) const {
        const auto& over = std::get<op::ReduceMean>(mean.operation);
        const int rank = static_cast<int>(value(mean.inputs[0]).shape.dims.size());
        if (!over.keep_dims || over.axes.empty()) return std::nullopt;
        for (size_t i = 0; i < over.axes.size(); ++i)
            if (over.axes[i] != rank - static_cast<int>(over.axes.size() - i)) return std::nullopt;
        return over.axes[0];
    }

    /// (x - mean x) / sqrt(mean (x - mean x)^2 + epsilon).
    void recognise_layer_norm(Node& node) {
        if (!is_binary(node, BinaryKind::divide)) return;
        const Node* difference = binary(node.inputs[0], BinaryKind::subtract);
        const Node* root = made_by<op::Activate>(node.inputs[1]);
        if (!difference || !root ||
            std::get<op::Activate>(root->operation).activation.kind != ActivationKind::sqrt)
            return;
        const Node* shifted = binary(root->inputs[0], BinaryKind::add);
        const Node* mean = made_by<op::ReduceMean>(difference->inputs[1]);
        if (!shifted || !mean || mean->inputs[0] != difference->inputs[0]) return;
        const auto constant = constant_input(*shifted);
        if (!constant || value(shifted->inputs[*constant]).constant.data.size() != 1) return;
        const Node* variance = made_by<op::ReduceMean>(shifted->inputs[1 - *constant]);
        const Node* square = variance ? binary(variance->inputs[0], BinaryKind::multiply) : nullptr;
        if (!square || square->inputs[0] != square->inputs[1] || variance->operation != mean->operation)
            return;
        const Node* squared = binary(square->inputs[0], BinaryKind::subtract);
        if (!squared || squared->inputs != difference->inputs) return;
        const auto axis = trailing_axis(*mean);
        if (!axis) return;
        op::LayerNorm norm;
        norm.axis = *axis;
        norm.epsilon = value(shifted->inputs[*constant]).constant.data[0];
        const std::vector<int64_t>& dims = value(node.output).shape.dims;
        norm.scale.dims.assign(dims.begin() + *axis, dims.end());
        norm.scale.data.assign(static_cast<size_t>(Shape{norm.scale.dims, false}.size()), 1.0f);
        replace(node, std::move(norm), difference->inputs[0]);
        plain_norms_.insert(node.output);
    }

    /// The scales, then the shift, of a layer normalisation that was just recognised.
    void attach_scale_or_shift(Node& node) {
        const bool scales = is_binary(node, BinaryKind::multiply);
        if (!scales && !is_binary(node, BinaryKind::add)) return;
        const auto constant = constant_input(node);
        if (!constant) return;
        const ValueId from = node.inputs[1 - *constant];
        const Node* made = made_by<op::LayerNorm>(from);
        if (!made || !plain_norms_.contains(from) || readers_[at(from)] != 1) return;
        op::LayerNorm norm = std::get<op::LayerNorm>(made->operation);
        const auto vector = along_last_axes(node, *constant, from, norm.scale.dims);
        if (!vector) return;
        if (scales) {
            for (size_t i = 0; i < vector->data.size(); ++i) norm.scale.data[i] *= vector->data[i];
            plain_norms_.insert(node.output);
        } else {
            norm.shift = *vector;
        }
        replace(node, std::move(norm), made->inputs[0]);
    }

    Graph g_;
    std::vector<int> producer_;      // node of each value
    std::vector<int> readers_;       // of each value
    std::set<ValueId> plain_norms_;  // recognised here, and still without a shift
};

}  // namespace

Graph recognise_patterns(Graph graph) { return Patterns(std::move(graph)).run(); }

}  // namespace mho
