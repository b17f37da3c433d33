// Every kind of step that a plan can hold, and every listed activation, alone and at the end of another step:
// against plain loops in double precision, with == where whole numbers stay exact and else within what the
// roundings can be off, and bit by bit against the embedded CPU backend. One table: a listed kind that no
// case has fails by its name.
#include <cxxabi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <utility>
#include <variant>

#include "host/chip/lowering.h"
#include "host/run/calibration.h"
#include "kernels/base/elementary.h"
#include "kernels/base/error.h"
#include "tests/backend_contract.h"
#include "tests/graph_builder.h"
#include "tests/oracle/graph_oracle.h"

namespace mho {
namespace {

using oracle::Array;
using testing::GraphBuilder;
using testing::parametrised;

constexpr int64_t kImages = 3;

// --- how far results may be off

/// The most that one rounding to float32 changes a number by, relative.
constexpr double kUnit = 0x1p-24;
/// Where exp_of gives 0 the exact value is less than this: e^-87.
constexpr double kLeastExp = 1.7e-38;
/// Bounds are of first order: this covers products of roundings.
constexpr double kSecondOrder = 1 + 0x1p-10;

/// Of f(x), exactly y, for a float32 x.
double activation_bound(const Activation& f, double x, double y) {
    const double u = kUnit, size = std::abs(x), of_exp = 2 * kExpMaxUlp * u;
    switch (f.kind) {
        case ActivationKind::relu:
        case ActivationKind::clip:
            return 0;
        case ActivationKind::leaky_relu:
        case ActivationKind::hard_sigmoid:
        case ActivationKind::sqrt:
            return u * std::abs(y);
        case ActivationKind::sigmoid:  // exp, sum, quotient
            return (of_exp + 2 * u) * y;
        case ActivationKind::silu:  // and a product
            return (of_exp + 3 * u) * std::abs(y);
        case ActivationKind::hard_swish:  // 1/6 and the sum, where they are not cut off; the product
            return std::min(size, 3.0) * 1.5 * u + u * std::abs(y);
        case ActivationKind::tanh:
            return kTanhMaxError;
        case ActivationKind::erf:
            return kErfMaxError;
        case ActivationKind::exp:
            return of_exp * y;
        // Of the argument v two roundings, |v| erf'(v) <= 0.49; 1 + erf <= 2; the product.
        case ActivationKind::gelu:
            return size / 2 * (kErfMaxError + 5 * u);
        // Of the argument v six roundings, |v| tanh'(v) <= 0.45; 1 + tanh <= 2; the product.
        case ActivationKind::gelu_tanh:
            return size / 2 * (kTanhMaxError + 7 * u);
    }
    throw std::logic_error(std::string(name_of(f.kind)) + " has no bound");
}

/// Of element i of y = node(x), where all that the node reads is exact; x is its first operand.
struct Bound {
    const Array &x, &y;
    size_t i;

    double roundings(int n) const { return n * kUnit * std::abs(y.data[i]); }
    template <class Operation>
    double operator()(const Operation&) const {
        return 0;
    }
    double operator()(const op::Activate& f) const {
        return activation_bound(f.activation, x.data[i], y.data[i]);
    }
    double operator()(const op::Binary& binary) const {
        return binary.kind == BinaryKind::divide ? roundings(1) : 0;
    }
    /// Of an exact sum times 1/n, itself rounded.
    double operator()(const op::Pool& pool) const {
        return pool.kind == PoolKind::average ? roundings(2) : 0;
    }
    double operator()(const op::ReduceMean&) const {
        return std::has_single_bit(x.data.size() / y.data.size()) ? 0 : roundings(2);
    }
    /// n terms are added; numerator and denominator are off by what exp is, which is 0 below its least value.
    double operator()(const op::Softmax& softmax) const {
        const double n = static_cast<double>(y.dims[static_cast<size_t>(softmax.axis)]);
        return (2 * 2 * kExpMaxUlp + n) * kUnit * y.data[i] + kLeastExp;
    }
    double operator()(const op::LayerNorm& norm) const {
        const size_t count = norm.scale.data.size(), first = i / count * count;
        const double n = static_cast<double>(count), u = kUnit;
        double mean = 0, squares = 0, farthest = 0, scale = 0;
        for (size_t k = 0; k < count; ++k) mean += x.data[first + k] / n;
        for (size_t k = 0; k < count; ++k) {
            const double d = x.data[first + k] - mean;
            squares += d * d;
            farthest = std::max(farthest, std::abs(d));
            scale = std::max(scale, std::abs(double{norm.scale.data[k]}));
        }
        const double variance = squares / n, whole = variance + double{norm.epsilon};
        const double of_difference =
            2 * u * std::abs(mean) + u * farthest;  // 1/n, the product; the difference
        const double of_squares = 2 * n * farthest * of_difference + n * u * squares;
        const double of_whole = of_squares / n + u * variance + u * whole;  // 1/n; the sum
        const double of_inverse = of_whole / (2 * whole) + 2 * u;           // relative: root and quotient
        const double of_scaled = (of_difference + farthest * (of_inverse + u)) / std::sqrt(whole);
        return scale * of_scaled + roundings(1);
    }
};

// --- the table

struct OperationCase {
    std::string name;
    std::function<void(GraphBuilder&)> build;
    int relu_levels = 0;                             ///< of the quantiser behind each ReLU; 0: none
    std::vector<float> high = {};                    ///< what each is calibrated to
    Level level = Level::digital;                    ///< of layers
    std::function<void(Plan&)> edit = [](Plan&) {};  ///< what lowering never makes

    friend void PrintTo(const OperationCase& c, std::ostream* out) { *out << c.name; }
};

/// Alone, and at the end of every kind of step that lowering fuses it with.
OperationCase activation_case(ActivationKind kind) {
    return {std::string(name_of(kind)), [kind](GraphBuilder& b) {
                const op::Activate f{parametrised(kind)};
                const ValueId x = b.input({1, 3, 2, 2});
                b.output(b.add(f, {x}));
                b.output(b.add(f, {b.conv(x, 4, 1)}));
                b.output(b.add(f, {b.conv(x, 4, 1, 1, 1, false)}));
                b.output(b.add(f, {b.linear(x, 3)}));
                b.output(b.add(f, {b.linear(x, 3, false)}));
                b.output(b.add(f, {b.batch_norm(x)}));
                b.output(b.add(f, {b.batch_norm(b.transpose(x, {0, 3, 1, 2}))}));
                b.output(b.add(f, {b.binary(BinaryKind::add, x, b.constant({3, 1, 1}))}));
            }};
}

OperationCase activation_after_crossbar_case(ActivationKind kind) {
    return {.name = std::string(name_of(kind)) + "_after_crossbar",
            .build =
                [kind](GraphBuilder& b) {
                    b.output(b.add(op::Activate{parametrised(kind)}, {b.linear(b.input({1, 6}), 5)}));
                },
            .level = Level::crossbar};
}

ValueId number(GraphBuilder& b, float n) {
    return b.graph.add_value("number" + std::to_string(b.graph.values.size()), {{}, false}, {{}, {n}});
}

/// 2 v + 1 of a whole v: nothing that divides by zero.
ValueId odd(GraphBuilder& b, ValueId v) {
    return b.binary(BinaryKind::add, b.binary(BinaryKind::multiply, v, number(b, 2)), number(b, 1));
}

ValueId odd_constant(GraphBuilder& b, std::vector<int64_t> dims) {
    const ValueId v = b.constant(std::move(dims));
    for (float& n : b.graph.values[static_cast<size_t>(v)].constant.data) n = 2 * n + 1;
    return v;
}

OperationCase binary_case(BinaryKind kind) {
    return {std::string(name_of(kind)), [kind](GraphBuilder& b) {
                const ValueId x = odd(b, b.input({1, 3, 4, 2}));
                const auto with = [&](ValueId left, ValueId right) { b.output(b.binary(kind, left, right)); };
                with(x, odd(b, b.input({1, 3, 4, 2})));
                for (const std::vector<int64_t>& dims :
                     {std::vector<int64_t>{1, 3, 1, 1}, {1, 1, 4, 1}, {1, 3, 1, 2}, {1, 1, 4, 2}}) {
                    const ValueId y = odd(b, b.input(dims));
                    with(x, y), with(y, x);
                }
                for (const std::vector<int64_t>& dims :
                     {std::vector<int64_t>{}, {2}, {4, 1}, {3, 1, 2}, {1, 3, 4, 2}})
                    with(x, odd_constant(b, dims)), with(odd_constant(b, dims), x);
            }};
}

op::Pool pool_of(PoolKind kind, int rank, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad_begin,
                 int64_t pad_end) {
    op::Pool p;
    p.kind = kind;
    p.spatial_rank = rank;
    for (size_t s = static_cast<size_t>(3 - rank); s < 3; ++s) {
        p.window.kernel[s] = kernel;
        p.window.stride[s] = stride;
        p.window.dilation[s] = dilation;
        p.window.pad_begin[s] = pad_begin;
        p.window.pad_end[s] = pad_end;
    }
    return p;
}

OperationCase pool_case(PoolKind kind) {
    return {"pool_" + std::string(name_of(kind)), [kind](GraphBuilder& b) {
                const ValueId line = b.input({1, 3, 9}), image = b.input({1, 3, 7, 5}),
                              volume = b.input({1, 2, 3, 4, 5});
                b.output(b.add(pool_of(kind, 1, 3, 2, 2, 1, 3), {line}));
                b.output(b.add(pool_of(kind, 3, 2, 1, 1, 1, 0), {volume}));
                b.output(b.add(pool_of(kind, 3, 2, 1, 2, 1, 1), {volume}));
                b.output(b.add(pool_of(kind, 2, 2, 2, 1, 0, 0), {image}));
                op::Pool p = pool_of(kind, 2, 3, 2, 1, 1, 2);
                p.window.stride[1] = 3;
                b.output(b.add(p, {image}));
                p.count_include_pad = kind == PoolKind::average;
                b.output(b.add(p, {image}));
                p.ceil_extra = {0, 2, 2};  // all of the padding at the ends
                b.output(b.add(p, {image}));
            }};
}

OperationCase pad_case(PadMode mode) {
    return {"pad_" + std::string(name_of(mode)), [mode](GraphBuilder& b) {
                const ValueId x = b.input({1, 2, 4, 5}), image = b.conv(x, 3, 1);
                b.output(b.add(op::Pad{mode, {0, 1, 3, 0}, {0, 1, 2, 4}, 7}, {x}));
                b.output(b.add(op::Pad{mode, {0, 0, 1, 2}, {0, 2, 2, -1}, -3}, {image}));
                b.output(b.add(op::Pad{mode, {0, -1, -2, 0}, {0, 0, 1, -2}, 5}, {x}));
                if (mode != PadMode::reflect)  // which reaches no farther than the extent
                    b.output(b.add(op::Pad{mode, {0, 3, 0, 6}, {0, 4, 7, 0}, 2}, {x}));
            }};
}

OperationCase quantise_case(const char* name, int levels, std::vector<float> high) {
    return {name,
            [](GraphBuilder& b) {
                const ValueId x = b.conv(b.input({1, 3, 4, 5}), 4, 1);
                b.output(b.relu(x));                                                     // whole numbers
                b.output(b.relu(b.batch_norm(x)));                                       // halves
                b.output(b.add(op::Activate{parametrised(ActivationKind::clip)}, {x}));  // not quantised
            },
            levels, std::move(high)};
}

op::LayerNorm layer_norm(GraphBuilder& b, int axis, std::vector<int64_t> dims, bool shifted) {
    op::LayerNorm norm;
    norm.axis = axis;
    norm.epsilon = 0.25f;
    norm.scale = b.whole_numbers(dims, 3);
    if (shifted) norm.shift = b.whole_numbers(dims, 3);
    return norm;
}

/// Parameters of an affine step that change nothing are left out.
void drop_neutral_parameters(Plan& plan) {
    const auto drop = [&plan](ParameterId& id, float neutral) {
        const std::vector<float>& value = plan.parameters[static_cast<size_t>(id)].value;
        if (std::all_of(value.begin(), value.end(), [neutral](float v) { return v == neutral; })) id = -1;
    };
    for (Step& step : plan.steps)
        if (auto* affine = std::get_if<step::Affine>(&step.operation))
            drop(affine->scale, 1), drop(affine->shift, 0);
}

std::vector<OperationCase> all_cases() {
    std::vector<OperationCase> cases;
    for (ActivationKind kind : kActivations) cases.push_back(activation_case(kind));
    for (ActivationKind kind : kActivations) cases.push_back(activation_after_crossbar_case(kind));
    for (BinaryKind kind : kBinaries) cases.push_back(binary_case(kind));
    for (PoolKind kind : kPools) cases.push_back(pool_case(kind));
    for (PadMode mode : kPads) cases.push_back(pad_case(mode));
    // Where a value lies half-way between two levels, in exact arithmetic, it does in float32: of 18 levels
    // up to 34 odd numbers do, of the others none.
    cases.push_back(quantise_case("quantise_2_levels", 2, {17, 8.5f}));
    cases.push_back(quantise_case("quantise_3_levels", 3, {17, 8.5f}));
    cases.push_back(quantise_case("quantise_5_levels", 5, {17, 8.5f}));
    cases.push_back(quantise_case("quantise_18_levels", 18, {34, 8.5f}));
    cases.push_back(quantise_case("quantise_nothing_positive", 5, {0, 0}));
    cases.push_back({"layer_norm_last_axis", [](GraphBuilder& b) {
                         const ValueId x = b.input({1, 4, 5}), image = b.input({1, 6, 2, 3});
                         b.output(b.add(layer_norm(b, 2, {5}, true), {x}));
                         b.output(b.add(layer_norm(b, 2, {5}, false), {x}));
                         b.output(b.add(layer_norm(b, 3, {6}, true), {b.transpose(image, {0, 2, 3, 1})}));
                     }});
    cases.push_back({"layer_norm_several_axes", [](GraphBuilder& b) {
                         const ValueId x = b.input({1, 3, 4, 2}), image = b.conv(b.input({1, 2, 3, 2}), 3, 1);
                         b.output(b.add(layer_norm(b, 2, {4, 2}, true), {x}));
                         b.output(b.add(layer_norm(b, 1, {3, 4, 2}, false), {x}));
                         b.output(b.add(layer_norm(b, 1, {3, 3, 2}, true), {image}));
                     }});
    cases.push_back({"softmax", [](GraphBuilder& b) {
                         const ValueId x = b.input({1, 4, 3, 5}), image = b.conv(b.input({1, 2, 3, 2}), 4, 1);
                         for (int axis : {1, 2, 3}) b.output(b.add(op::Softmax{axis}, {x}));
                         for (int axis : {1, 2}) b.output(b.add(op::Softmax{axis}, {image}));
                         // Beyond what exp can hold.
                         b.output(b.add(op::Softmax{2}, {b.binary(BinaryKind::multiply, x, number(b, 60))}));
                     }});
    cases.push_back({.name = "affine_without_scale_or_shift",
                     .build =
                         [](GraphBuilder& b) {
                             const ValueId x = b.input({1, 3, 5}), image = b.conv(x, 4, 1);
                             for (ValueId v : {x, image}) {
                                 b.output(b.batch_norm(v));
                                 op::BatchNorm& shift =
                                     std::get<op::BatchNorm>(b.graph.nodes.back().operation);
                                 for (float& s : shift.scale.data) s = 2;
                                 b.output(b.batch_norm(v));
                                 op::BatchNorm& scale =
                                     std::get<op::BatchNorm>(b.graph.nodes.back().operation);
                                 for (Tensor* t : {&scale.mean, &scale.shift})
                                     for (float& s : t->data) s = 0;
                             }
                         },
                     .edit = drop_neutral_parameters});
    cases.push_back(
        {"reduce_mean", [](GraphBuilder& b) {
             const ValueId x = b.input({1, 3, 2, 4, 5}), image = b.conv(b.input({1, 2, 3, 4}), 5, 1);
             for (const std::vector<int>& axes :
                  {std::vector<int>{1}, {2}, {4}, {1, 2}, {1, 3}, {2, 4}, {1, 3, 4}, {1, 2, 3, 4}})
                 b.output(b.mean(x, axes));
             b.output(b.mean(x, {1, 3}, false));
             for (const std::vector<int>& axes : {std::vector<int>{1}, {3}, {2, 3}})
                 b.output(b.mean(image, axes));
         }});
    cases.push_back({"transpose_and_alias", [](GraphBuilder& b) {
                         const ValueId x = b.input({1, 2, 3, 4});
                         b.output(b.transpose(x, {0, 3, 1, 2}));
                         b.output(b.transpose(x, {0, 2, 1, 3}));
                         b.output(b.transpose(x, {0, 3, 2, 1}));
                         b.output(b.reshape(x, {1, 6, 4}));
                         b.output(b.reshape(b.conv(x, 3, 1), {1, 36}));
                     }});
    cases.push_back({"concat", [](GraphBuilder& b) {
                         const ValueId x = b.input({1, 2, 3, 4});
                         for (int axis : {1, 2, 3}) {
                             std::vector<int64_t> dims{1, 2, 3, 4};
                             dims[static_cast<size_t>(axis)] = 5;
                             b.output(b.add(op::Concat{axis}, {x, b.input(dims), x}));
                         }
                         b.output(b.add(op::Concat{1}, {b.conv(x, 3, 1), b.conv(x, 1, 1)}));
                     }});
    cases.push_back(
        {"slice", [](GraphBuilder& b) {
             const ValueId x = b.input({1, 4, 5, 6});
             b.output(b.add_as(op::Slice{{0, 1, 0, 2}, {1, 1, 2, 1}}, {x}, {{1, 2, 3, 4}, true}));
             b.output(b.add_as(op::Slice{{0, 3, 4, 5}, {1, -1, -2, -3}}, {x}, {{1, 4, 3, 2}, true}));
             b.output(
                 b.add_as(op::Slice{{0, 1, 1, 0}, {1, 2, 1, 3}}, {b.conv(x, 4, 1)}, {{1, 2, 4, 2}, true}));
         }});
    cases.push_back({"gather", [](GraphBuilder& b) {
                         const ValueId x = b.input({1, 4, 3, 5});
                         b.output(b.add(op::Gather{1, {2}, {}}, {x}));
                         b.output(b.add(op::Gather{2, {2, 0, 2, 1}, {4}}, {x}));
                         b.output(b.add(op::Gather{3, {4, 0, 3, 1}, {2, 2}}, {x}));
                         b.output(b.add(op::Gather{1, {3, 3, 0}, {3}}, {b.conv(x, 4, 1)}));
                     }});
    return cases;
}

// --- running a case

Plan plan_of(const OperationCase& tested, const Graph& graph) {
    LoweringOptions options;
    options.relu_levels = tested.relu_levels;
    options.choose = [&tested](const Node&) {
        LayerChoice choice;
        choice.level = tested.level;
        return choice;
    };
    Plan plan = lower(number_nodes(graph), options);
    tested.edit(plan);
    return plan;
}

std::vector<Tensor> whole_inputs(GraphBuilder& b) {
    std::vector<Tensor> inputs;
    for (ValueId id : b.graph.inputs) {
        std::vector<int64_t> dims = b.graph.values[static_cast<size_t>(id)].shape.dims;
        dims[0] *= kImages;
        inputs.push_back(b.whole_numbers(dims, 4));
    }
    return inputs;
}

std::vector<Tensor> real_inputs(GraphBuilder& b) {
    std::vector<Tensor> inputs = whole_inputs(b);
    std::mt19937 random(23);
    for (Tensor& t : inputs)
        for (float& v : t.data) v += std::uniform_real_distribution<float>(-0.5f, 0.5f)(random);
    return inputs;
}

struct Outcome {
    std::vector<std::vector<float>> outputs;        ///< as Plan::outputs, all images
    std::vector<std::vector<float>> crossbar_sums;  ///< of each crossbar step, before its activation
};

/// All images, so many at a time.
Outcome run(const Backend& backend, const OperationCase& tested, const Plan& plan,
            const std::vector<Tensor>& inputs, int64_t batch) {
    const auto program = backend.load(plan);
    Calibration calibration;
    if (!plan.crossbars.empty())
        calibration = calibrate(*program, {*backend.upload(inputs[0].data, {}, kImages), kImages, 1});
    calibration.quantise_high = tested.high;
    const auto chip = program->make_chip();
    program->program(*chip, {0, 0, true}, calibration);
    const auto stream = program->make_stream(batch);

    Outcome outcome;
    outcome.outputs.resize(plan.outputs.size());
    outcome.crossbar_sums.resize(plan.crossbars.size());
    for (int64_t first = 0; first < kImages; first += batch) {
        const int64_t count = std::min(batch, kImages - first);
        for (size_t i = 0; i < inputs.size(); ++i) {
            const size_t size = inputs[i].data.size() / kImages;
            stream->write(static_cast<int>(i),
                          std::span(inputs[i].data)
                              .subspan(static_cast<size_t>(first) * size, static_cast<size_t>(count) * size),
                          first, count);
        }
        stream->run(*chip, 0, static_cast<int>(plan.steps.size()));
        for (size_t o = 0; o < plan.outputs.size(); ++o) {
            std::vector<float> part(static_cast<size_t>(plan.elements(plan.outputs[o], count)));
            stream->read(plan.outputs[o], part);
            outcome.outputs[o].insert(outcome.outputs[o].end(), part.begin(), part.end());
        }
        for (int i = 0; i < static_cast<int>(plan.steps.size()); ++i)
            if (const auto* crossbar =
                    std::get_if<step::Crossbar>(&plan.steps[static_cast<size_t>(i)].operation))
                for (int64_t image = 0; image < count; ++image) {
                    const std::vector<float> part = stream->trace(*chip, i, image).output;
                    std::vector<float>& all = outcome.crossbar_sums[static_cast<size_t>(crossbar->crossbar)];
                    all.insert(all.end(), part.begin(), part.end());
                }
    }
    return outcome;
}

class Operations : public ::testing::TestWithParam<OperationCase> {};

void expect_within(const std::vector<float>& got, const Array& want,
                   const std::function<double(size_t)>& bound, size_t output) {
    ASSERT_EQ(got.size(), want.data.size()) << "output " << output;
    for (size_t i = 0; i < got.size(); ++i) {
        const double y = want.data[i];
        if (std::isnan(y))
            ASSERT_TRUE(std::isnan(got[i])) << "output " << output << ", element " << i;
        else
            ASSERT_LE(std::abs(double{got[i]} - y), bound(i) * kSecondOrder)
                << "output " << output << ", element " << i << ": " << got[i] << " for " << y;
    }
}

TEST_P(Operations, agree_with_plain_loops) {
    const OperationCase& tested = GetParam();
    GraphBuilder b(7);
    tested.build(b);
    const std::vector<Tensor> inputs = whole_inputs(b);
    std::vector<Array> wide;
    for (const Tensor& t : inputs) wide.push_back({t.dims, {t.data.begin(), t.data.end()}});
    std::map<ValueId, Array> expected = oracle::evaluate(b.graph, wide, kImages);
    const Outcome got =
        run(*testing::backend_under_test(), tested, plan_of(tested, b.graph), inputs, kImages);

    size_t crossbar = 0;
    for (size_t o = 0; o < b.graph.outputs.size(); ++o) {
        const Node& node = *std::find_if(b.graph.nodes.begin(), b.graph.nodes.end(),
                                         [&](const Node& n) { return n.output == b.graph.outputs[o]; });
        Array y = expected.at(node.output), x = y;
        for (const ValueId first : {node.inputs[0], node.inputs.back()})
            if (const auto found = expected.find(first); found != expected.end()) {
                x = found->second;
                break;
            }
        const auto* f = std::get_if<op::Activate>(&node.operation);
        if (tested.level == Level::crossbar) {  // crossbars.cc looks at sums
            const std::vector<float>& sums = got.crossbar_sums[crossbar++];
            x.data.assign(sums.begin(), sums.end());
            for (size_t i = 0; i < x.data.size(); ++i)
                y.data[i] = oracle::activated(f->activation, x.data[i]);
        }
        if (tested.relu_levels > 0 && f && f->activation.kind == ActivationKind::relu)
            y = oracle::quantised(y, tested.relu_levels, tested.high.at(o));
        expect_within(
            got.outputs[o], y,
            [&](size_t i) {
                return std::visit(Bound{x, y, i}, node.operation);
            },
            o);
    }
}

/// Both backends take the formulas of kernels/steps in one order; only the sums of products belong to
/// libraries, and those are exact of whole numbers.
TEST_P(Operations, give_the_bits_of_the_cpu_backend_in_any_batch) {
    const OperationCase& tested = GetParam();
    GraphBuilder b(7);
    tested.build(b);
    const Plan plan = plan_of(tested, b.graph);
    const bool multiplies = std::any_of(plan.steps.begin(), plan.steps.end(), [](const Step& s) {
        return std::holds_alternative<step::Conv>(s.operation) ||
               std::holds_alternative<step::Linear>(s.operation);
    });
    const std::vector<Tensor> inputs = multiplies ? whole_inputs(b) : real_inputs(b);
    const Outcome cpu = run(*make_cpu_backend(), tested, plan, inputs, kImages),
                  got = run(*testing::backend_under_test(), tested, plan, inputs, 2);
    for (size_t o = 0; o < cpu.outputs.size(); ++o) {
        ASSERT_EQ(got.outputs[o].size(), cpu.outputs[o].size());
        for (size_t i = 0; i < cpu.outputs[o].size(); ++i) {
            const float y = got.outputs[o][i], want = cpu.outputs[o][i];
            if (std::isnan(want))  // whose bits are the processor's own
                ASSERT_TRUE(std::isnan(y)) << "output " << o << ", element " << i;
            else
                ASSERT_EQ(std::bit_cast<uint32_t>(y), std::bit_cast<uint32_t>(want))
                    << "output " << o << ", element " << i << ": " << y << " for " << want;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Table, Operations, ::testing::ValuesIn(all_cases()),
                         [](const auto& tested) { return tested.param.name; });

// --- whether the table is whole

std::string type_name(const std::type_info& type) {
    int status = 0;
    char* text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
    const std::string name = status == 0 ? text : type.name();
    std::free(text);
    return name;
}

std::string kind_of(const PlanOperation& operation) {
    return std::visit([](const auto& step) { return type_name(typeid(step)); }, operation);
}

/// "KIND", "KIND: the listed kind that it has", "KIND + the activation at its end" of every step of every
/// case.
std::set<std::string> tried() {
    std::set<std::string> found;
    for (const OperationCase& tested : all_cases()) {
        GraphBuilder b(7);
        tested.build(b);
        for (const Step& step : plan_of(tested, b.graph).steps) {
            const std::string kind = kind_of(step.operation);
            found.insert(kind);
            if (step.activation) found.insert(kind + " + " + name_of(step.activation->kind));
            const auto note = [&](auto listed) { found.insert(kind + ": " + name_of(listed)); };
            if (const auto* f = std::get_if<step::Activate>(&step.operation)) note(f->activation.kind);
            if (const auto* f = std::get_if<step::Binary>(&step.operation)) note(f->kind);
            if (const auto* f = std::get_if<step::Pool>(&step.operation)) note(f->kind);
            if (const auto* f = std::get_if<step::Pad>(&step.operation)) note(f->mode);
        }
    }
    return found;
}

template <size_t... I>
std::vector<std::string> step_kinds(std::index_sequence<I...>) {
    return {kind_of(PlanOperation(std::in_place_index<I>))...};
}

TEST(OperationTable, has_a_case_for_everything_listed) {
    std::vector<std::string> listed =
        step_kinds(std::make_index_sequence<std::variant_size_v<PlanOperation>>());
    const auto add = [&listed](const PlanOperation& step, const char* joint, const auto& kinds) {
        for (auto kind : kinds) listed.push_back(kind_of(step) + joint + name_of(kind));
    };
    add(step::Activate{}, ": ", kActivations);
    add(step::Binary{}, ": ", kBinaries);
    add(step::Pool{}, ": ", kPools);
    add(step::Pad{}, ": ", kPads);
    for (const PlanOperation& step :
         {PlanOperation(step::Conv{}), PlanOperation(step::Linear{}), PlanOperation(step::Crossbar{}),
          PlanOperation(step::Affine{}), PlanOperation(step::Binary{})})  // what lowering fuses with
        add(step, " + ", kActivations);
    const std::set<std::string> found = tried();
    for (const std::string& kind : listed)
        EXPECT_TRUE(found.count(kind)) << kind << " has no case in tests/contract/operations.cc";
}

/// What calibration measures of a tensor, whatever its signs.
TEST(Measuring, extremes_and_counts_are_those_of_the_values) {
    GraphBuilder b(7);
    b.output(b.relu(b.input({1, 5})));
    const auto program = testing::backend_under_test()->load(plan_of({}, b.graph));
    const auto stream = program->make_stream(2);
    const TensorId tensor = program->plan().inputs[0];
    const auto measured = [&](const std::vector<float>& values) {
        stream->write(0, values, 0, 2);
        return stream->measure_input(tensor);
    };
    for (float sign : {1.0f, -1.0f}) {
        std::vector<float> x{0.25f, 3, 0, -0.5f, 1.25f, 3, 6.5f, -5.75f, 0.25f, 2};
        for (float& v : x) v *= sign;
        const InputHistogram h = measured(x);
        EXPECT_EQ(h.minimum, sign > 0 ? -5.75f : -6.5f);
        EXPECT_EQ(h.maximum, sign > 0 ? 6.5f : 5.75f);
        EXPECT_EQ(h.extent, 8);
        std::vector<int64_t> counts(1 << 16, 0);
        for (float v : x) ++counts[static_cast<size_t>(std::abs(v) / 8 * (1 << 16))];
        EXPECT_EQ(h.counts, counts);
    }
    EXPECT_EQ(measured({-3, -1, -2, -4, -1, -3, -2, -9, -8, -7}).maximum, -1);
    for (float odd : {INFINITY, -INFINITY, NAN})
        EXPECT_THROW(measured({1, 2, 3, odd, 5, 6, 7, 8, 9, 10}), RunError) << odd;
}

/// What a quantiser takes as its largest value is the largest that reached it, and 0 where none is positive.
TEST(Quantiser, is_calibrated_to_the_largest_value_that_reached_it) {
    GraphBuilder b(7);
    b.output(b.relu(b.input({1, 4})));
    const OperationCase tested{"", {}, 3};
    const auto backend = testing::backend_under_test();
    const auto program = backend->load(plan_of(tested, b.graph));
    for (const auto& [value, high] : {std::pair(2.5f, 2.5f), {-0.5f, 0.0f}}) {
        const auto images = backend->upload({-3, -1, value, -2, -9, -1, value, -4}, {}, 2);
        for (int threads : {1, 2})
            EXPECT_EQ(calibrate(*program, {*images, 2, threads}).quantise_high, std::vector<float>{high});
    }
}

}  // namespace
}  // namespace mho
