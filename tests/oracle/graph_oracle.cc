#include "tests/oracle/graph_oracle.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>

namespace mho::oracle {
namespace {

using Index = std::vector<int64_t>;

int64_t volume(const Index& dims) {
    int64_t n = 1;
    for (int64_t d : dims) n *= d;
    return n;
}

int64_t place(const Index& dims, const Index& index) {
    int64_t at = 0;
    for (size_t i = 0; i < dims.size(); ++i) at = at * dims[i] + index[i];
    return at;
}

void for_each(const Index& dims, const std::function<void(const Index&)>& visit) {
    Index index(dims.size(), 0);
    for (int64_t n = volume(dims); n > 0; --n) {
        visit(index);
        for (size_t i = dims.size(); i-- > 0;) {
            if (++index[i] < dims[i]) break;
            index[i] = 0;
        }
    }
}

Array make(const Index& dims, const std::function<double(const Index&)>& value) {
    Array y{dims, {}};
    for_each(dims, [&](const Index& i) { y.data.push_back(value(i)); });
    return y;
}

double at(const Array& a, const Index& index) { return a.data[static_cast<size_t>(place(a.dims, index))]; }

/// Element of a broadcast operand: axes align from the right, an extent of 1 repeats.
double at_broadcast(const Array& a, const Index& index) {
    Index own(a.dims.size());
    const size_t skip = index.size() - a.dims.size();
    for (size_t i = 0; i < own.size(); ++i) own[i] = a.dims[i] == 1 ? 0 : index[i + skip];
    return at(a, own);
}

}  // namespace

double activated(const Activation& f, double x) {
    const double a = f.alpha, b = f.beta;
    switch (f.kind) {
        case ActivationKind::relu:
            return std::max(x, 0.0);
        case ActivationKind::clip:
            return std::min(std::max(x, a), b);
        case ActivationKind::leaky_relu:
            return x < 0 ? a * x : x;
        case ActivationKind::sigmoid:
            return 1 / (1 + std::exp(-x));
        case ActivationKind::hard_sigmoid:
            return std::min(std::max(a * x + b, 0.0), 1.0);
        case ActivationKind::hard_swish:
            return x * std::min(std::max(x / 6 + 0.5, 0.0), 1.0);
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
    throw std::logic_error("activation without an oracle");
}

Array quantised(const Array& x, int levels, double high) {
    const double last = levels - 1;
    Array y = x;
    for (double& v : y.data) {
        const double level = high > 0 ? std::nearbyint(std::min(std::max(v, 0.0), high) * last / high) : 0;
        v = level * high / last;
    }
    return y;
}

namespace {

/// Visits the kernel positions of one output position: the kernel's index and the input's spatial index
/// (which may lie in the padding).
void for_each_tap(const Window& w, int rank, const Index& output,
                  const std::function<void(const Index&, const Index&)>& visit) {
    Index kernel;
    for (int i = 3 - rank; i < 3; ++i) kernel.push_back(w.kernel[static_cast<size_t>(i)]);
    for_each(kernel, [&](const Index& k) {
        Index from(k.size());
        for (size_t i = 0; i < k.size(); ++i) {
            const size_t s = i + 3 - static_cast<size_t>(rank);
            from[i] = output[i] * w.stride[s] + k[i] * w.dilation[s] - w.pad_begin[s];
        }
        visit(k, from);
    });
}

bool inside(const Array& x, const Index& spatial) {
    for (size_t i = 0; i < spatial.size(); ++i)
        if (spatial[i] < 0 || spatial[i] >= x.dims[i + 2]) return false;
    return true;
}

Index joined(int64_t n, int64_t c, const Index& spatial) {
    Index index{n, c};
    index.insert(index.end(), spatial.begin(), spatial.end());
    return index;
}

/// Which element of an axis of n stands at i, counted from its first; what is not in [0, n) is the constant.
int64_t padded_from(PadMode mode, int64_t i, int64_t n) {
    switch (mode) {
        case PadMode::constant:
            return i;
        case PadMode::edge:
            return std::clamp<int64_t>(i, 0, n - 1);
        case PadMode::reflect:
            while (i < 0 || i >= n) i = i < 0 ? -i : 2 * (n - 1) - i;
            return i;
    }
    throw std::logic_error("padding without an oracle");
}

struct Evaluator {
    const Node& node;
    std::vector<Array> in;
    Index dims;  // of the output

    Array operator()(const op::Conv& conv) const {
        const int64_t per_group_in = conv.weight.dims[1], per_group_out = dims[1] / conv.groups;
        return make(dims, [&](const Index& o) {
            double sum = conv.bias.empty() ? 0 : conv.bias.data[static_cast<size_t>(o[1])];
            const int64_t first = o[1] / per_group_out * per_group_in;
            for_each_tap(
                conv.window, conv.spatial_rank, {o.begin() + 2, o.end()},
                [&](const Index& k, const Index& s) {
                    if (!inside(in[0], s)) return;
                    for (int64_t c = 0; c < per_group_in; ++c)
                        sum += at(in[0], joined(o[0], first + c, s)) *
                               conv.weight
                                   .data[static_cast<size_t>(place(conv.weight.dims, joined(o[1], c, k)))];
                });
            return sum;
        });
    }
    Array operator()(const op::Linear& linear) const {
        const int64_t inputs = linear.weight.dims[1];
        return make(dims, [&](const Index& o) {
            double sum = linear.bias.empty() ? 0 : linear.bias.data[static_cast<size_t>(o.back())];
            Index i = o;
            for (int64_t k = 0; k < inputs; ++k) {
                i.back() = k;
                sum += at(in[0], i) * linear.weight.data[static_cast<size_t>(o.back() * inputs + k)];
            }
            return sum;
        });
    }
    Array operator()(const op::BatchNorm& norm) const {
        return make(dims, [&](const Index& o) {
            const size_t c = static_cast<size_t>(o[1]);
            return (at(in[0], o) - norm.mean.data[c]) /
                       std::sqrt(double{norm.variance.data[c]} + norm.epsilon) * norm.scale.data[c] +
                   norm.shift.data[c];
        });
    }
    Array operator()(const op::LayerNorm& norm) const {
        const Index inner(dims.begin() + norm.axis, dims.end());
        return make(dims, [&](const Index& o) {
            Index i = o;
            double sum = 0, squares = 0;
            auto visit = [&](const std::function<void(double)>& take) {
                for_each(inner, [&](const Index& k) {
                    std::copy(k.begin(), k.end(), i.begin() + norm.axis);
                    take(at(in[0], i));
                });
            };
            const double n = static_cast<double>(volume(inner));
            visit([&](double x) { sum += x; });
            visit([&](double x) { squares += (x - sum / n) * (x - sum / n); });
            const size_t k = static_cast<size_t>(place(inner, {o.begin() + norm.axis, o.end()}));
            const double y =
                (at(in[0], o) - sum / n) / std::sqrt(squares / n + norm.epsilon) * norm.scale.data[k];
            return y + (norm.shift.empty() ? 0 : norm.shift.data[k]);
        });
    }
    Array operator()(const op::Activate& f) const {
        return make(dims, [&](const Index& o) { return activated(f.activation, at(in[0], o)); });
    }
    Array operator()(const op::Binary& binary) const {
        return make(dims, [&](const Index& o) {
            const double a = at_broadcast(in[0], o), b = at_broadcast(in[1], o);
            switch (binary.kind) {
                case BinaryKind::add:
                    return a + b;
                case BinaryKind::subtract:
                    return a - b;
                case BinaryKind::multiply:
                    return a * b;
                case BinaryKind::divide:
                    return a / b;
            }
            throw std::logic_error("binary without an oracle");
        });
    }
    Array operator()(const op::Pool& pool) const {
        Window padded = pool.window;  // what only ceil_mode added never counts
        for (size_t i = 0; i < 3; ++i) padded.pad_end[i] -= pool.ceil_extra[i];
        return make(dims, [&](const Index& o) {
            double sum = 0, largest = -std::numeric_limits<double>::infinity();
            int64_t count = 0;
            for_each_tap(pool.window, pool.spatial_rank, {o.begin() + 2, o.end()},
                         [&](const Index&, const Index& s) {
                             bool counts = true;
                             for (size_t i = 0; i < s.size(); ++i) {
                                 const size_t axis = i + 3 - static_cast<size_t>(pool.spatial_rank);
                                 counts = counts && s[i] < in[0].dims[i + 2] + padded.pad_end[axis];
                             }
                             if (inside(in[0], s)) {
                                 const double x = at(in[0], joined(o[0], o[1], s));
                                 sum += x, largest = std::max(largest, x), ++count;
                             } else if (pool.count_include_pad && counts) {
                                 ++count;
                             }
                         });
            switch (pool.kind) {
                case PoolKind::maximum:
                    return largest;
                case PoolKind::average:
                    return sum / static_cast<double>(count);
            }
            throw std::logic_error("pooling without an oracle");
        });
    }
    Array operator()(const op::ReduceMean& mean) const {
        Index reduced, kept = in[0].dims;
        for (int axis : mean.axes)
            reduced.push_back(in[0].dims[static_cast<size_t>(axis)]), kept[static_cast<size_t>(axis)] = 1;
        Array y = make(kept, [&](const Index& o) {
            double sum = 0;
            for_each(reduced, [&](const Index& k) {
                Index i = o;
                for (size_t a = 0; a < k.size(); ++a) i[static_cast<size_t>(mean.axes[a])] = k[a];
                sum += at(in[0], i);
            });
            return sum / static_cast<double>(volume(reduced));
        });
        y.dims = dims;
        return y;
    }
    Array operator()(const op::Reshape&) const { return {dims, in[0].data}; }
    Array operator()(const op::Transpose& t) const {
        return make(dims, [&](const Index& o) {
            Index i(o.size());
            for (size_t a = 0; a < o.size(); ++a) i[static_cast<size_t>(t.permutation[a])] = o[a];
            return at(in[0], i);
        });
    }
    Array operator()(const op::Concat& concat) const {
        const size_t axis = static_cast<size_t>(concat.axis);
        return make(dims, [&](const Index& o) {
            Index i = o;
            size_t part = 0;
            while (i[axis] >= in[part].dims[axis]) i[axis] -= in[part++].dims[axis];
            return at(in[part], i);
        });
    }
    Array operator()(const op::Slice& slice) const {
        return make(dims, [&](const Index& o) {
            Index i(o.size());
            for (size_t a = 0; a < o.size(); ++a) i[a] = slice.begin[a] + o[a] * slice.step[a];
            return at(in[0], i);
        });
    }
    Array operator()(const op::Gather& gather) const {
        const size_t axis = static_cast<size_t>(gather.axis), rank = gather.indices_dims.size();
        return make(dims, [&](const Index& o) {
            const Index which(o.begin() + gather.axis,
                              o.begin() + gather.axis + static_cast<std::ptrdiff_t>(rank));
            Index i(o.begin(), o.begin() + gather.axis);
            i.push_back(gather.indices[static_cast<size_t>(place(gather.indices_dims, which))]);
            i.insert(i.end(), o.begin() + static_cast<std::ptrdiff_t>(axis + rank), o.end());
            return at(in[0], i);
        });
    }
    Array operator()(const op::Pad& pad) const {
        return make(dims, [&](const Index& o) {
            Index i(o.size());
            for (size_t a = 0; a < o.size(); ++a) {
                const int64_t n = in[0].dims[a];
                i[a] = padded_from(pad.mode, o[a] - pad.begin[a], n);
                if (i[a] < 0 || i[a] >= n) return double{pad.value};
            }
            return at(in[0], i);
        });
    }
    Array operator()(const op::Softmax& softmax) const {
        const size_t axis = static_cast<size_t>(softmax.axis);
        return make(dims, [&](const Index& o) {
            double largest = -std::numeric_limits<double>::infinity(), sum = 0;
            Index i = o;
            for (i[axis] = 0; i[axis] < dims[axis]; ++i[axis]) largest = std::max(largest, at(in[0], i));
            for (i[axis] = 0; i[axis] < dims[axis]; ++i[axis]) sum += std::exp(at(in[0], i) - largest);
            return std::exp(at(in[0], o) - largest) / sum;
        });
    }
};

}  // namespace

std::map<ValueId, Array> evaluate(const Graph& graph, const std::vector<Array>& inputs, int64_t images) {
    std::map<ValueId, Array> values;
    auto dims_of = [&](ValueId value) {
        Index dims = graph.values[static_cast<size_t>(value)].shape.dims;
        if (graph.values[static_cast<size_t>(value)].shape.per_image) dims[0] *= images;
        return dims;
    };
    for (size_t i = 0; i < inputs.size(); ++i) values[graph.inputs[i]] = inputs[i];
    for (const Node& node : graph.nodes) {
        Evaluator evaluator{node, {}, dims_of(node.output)};
        for (ValueId input : node.inputs) {
            const Tensor& constant = graph.values[static_cast<size_t>(input)].constant;
            evaluator.in.push_back(constant.empty()
                                       ? values.at(input)
                                       : Array{constant.dims, {constant.data.begin(), constant.data.end()}});
        }
        values[node.output] = std::visit(evaluator, node.operation);
    }
    return values;
}

}  // namespace mho::oracle
