// Graphs lowered to plans and executed, against the plain-loop evaluation of the same
// graph. All numbers are small and whole, so the comparison is exact: a wrong layout, axis or fusion cannot
// hide.
#include "host/chip/batch_norm.h"
#include "host/chip/lowering.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "host/run/calibration.h"
#include "host/run/inference.h"
#include "kernels/backend.h"
#include "kernels/base/error.h"
#include "tests/backend_contract.h"
#include "tests/graph_builder.h"
#include "tests/oracle/graph_oracle.h"

namespace mho {
namespace {

using testing::GraphBuilder;

struct NetworkCase {
    const char* name;
    std::function<void(GraphBuilder&)> build;

    friend void PrintTo(const NetworkCase& c, std::ostream* out) { *out << c.name; }
};

ValueId residual_block(GraphBuilder& b, ValueId x, int64_t channels) {
    const ValueId y = b.batch_norm(b.conv(b.relu(b.batch_norm(b.conv(x, channels, 3))), channels, 3));
    return b.relu(b.binary(BinaryKind::add, y, x));
}

const NetworkCase kNetworks[] = {
    {"conv_relu",
     [](GraphBuilder& b) {
         b.output(b.relu(b.conv(b.input({1, 3, 6, 5}), 4, 3)));
     }},
    {"conv_stride_dilation",
     [](GraphBuilder& b) {
         b.output(b.conv(b.input({1, 3, 9, 8}), 4, 3, 2, 1, false, 2));
     }},
    {"grouped_and_depthwise",
     [](GraphBuilder& b) {
         b.output(b.conv(b.conv(b.input({1, 6, 5, 5}), 6, 3, 1, 6), 4, 3, 1, 2));
     }},
    {"conv_1d",
     [](GraphBuilder& b) {
         b.output(b.conv(b.input({1, 3, 9}), 4, 3));
     }},
    {"conv_3d",
     [](GraphBuilder& b) {
         b.output(b.conv(b.input({1, 2, 4, 3, 5}), 3, 3));
     }},
    {"mlp",
     [](GraphBuilder& b) {
         b.output(b.linear(b.relu(b.linear(b.input({1, 7}), 5)), 3, false));
     }},
    {"linear_over_leading_axes",
     [](GraphBuilder& b) {
         b.output(b.linear(b.input({1, 4, 3, 6}), 5));
     }},
    {"norm_of_a_linear_over_leading_axes",  // one scale a row, not an output: it cannot be folded
     [](GraphBuilder& b) {
         b.output(b.batch_norm(b.linear(b.input({1, 4, 3}), 4)));
     }},
    {"residual",
     [](GraphBuilder& b) {
         b.output(residual_block(b, b.relu(b.conv(b.input({1, 3, 5, 5}), 4, 3)), 4));
     }},
    {"pool_flatten_linear",
     [](GraphBuilder& b) {
         const ValueId x = b.pool(b.conv(b.input({1, 2, 8, 8}), 4, 3), PoolKind::maximum, 2, 2, 0);
         b.output(b.linear(b.reshape(x, {1, 4 * 4 * 4}), 3));
     }},
    {"max_pool_padded",
     [](GraphBuilder& b) {
         b.output(b.pool(b.conv(b.input({1, 2, 7, 7}), 3, 1), PoolKind::maximum, 3, 2, 1));
     }},
    {"average_pool",
     [](GraphBuilder& b) {
         b.output(b.pool(b.input({1, 3, 8, 8}), PoolKind::average, 2, 2, 0));
     }},
    {"global_mean_classifier",
     [](GraphBuilder& b) {
         const ValueId x = b.mean(b.conv(b.input({1, 2, 4, 4}), 8, 3), {2, 3});
         b.output(b.linear(b.reshape(x, {1, 8}), 3));
     }},
    {"mean_drops_axes",
     [](GraphBuilder& b) {
         b.output(b.linear(b.mean(b.conv(b.input({1, 2, 4, 4}), 8, 3), {2, 3}, false), 3));
     }},
    {"concat_channels",
     [](GraphBuilder& b) {
         const ValueId x = b.input({1, 3, 5, 4});
         const ValueId y = b.add(op::Concat{1}, {b.conv(x, 4, 3), x, b.conv(x, 2, 1)});
         b.output(b.conv(y, 3, 1));
     }},
    {"channel_gate",  // squeeze and excitation: a mean broadcast back over the image
     [](GraphBuilder& b) {
         const ValueId x = b.conv(b.input({1, 3, 4, 4}), 4, 3);
         b.output(b.binary(BinaryKind::multiply, x, b.conv(b.relu(b.conv(b.mean(x, {2, 3}), 2, 1)), 4, 1)));
     }},
    {"constants_broadcast",
     [](GraphBuilder& b) {
         ValueId x = b.conv(b.input({1, 3, 4, 5}), 4, 1);
         x = b.binary(BinaryKind::multiply, x, b.constant({4, 1, 1}));
         x = b.binary(BinaryKind::subtract, b.constant({1, 1, 1, 5}), x);
         x = b.binary(BinaryKind::add, x, b.constant({4, 5}));
         x = b.binary(BinaryKind::add, x, b.constant({4, 4, 5}));
         b.output(b.binary(BinaryKind::add, b.constant({}), x));
     }},
    {"channels_last_block",  // ConvNeXt: permute, linear layers over the last axis, permute back, add
     [](GraphBuilder& b) {
         const ValueId x = b.conv(b.input({1, 3, 4, 5}), 4, 3);
         const ValueId y = b.transpose(b.conv(x, 4, 3, 1, 4), {0, 2, 3, 1});
         const ValueId z = b.transpose(b.linear(b.relu(b.linear(y, 6)), 4), {0, 3, 1, 2});
         b.output(b.binary(BinaryKind::add, x, z));
     }},
    {"keras_layout",  // an NHWC network: transposed in and out of a convolution
     [](GraphBuilder& b) {
         const ValueId x = b.transpose(b.input({1, 4, 5, 3}), {0, 3, 1, 2});
         const ValueId y = b.transpose(b.relu(b.conv(x, 4, 3)), {0, 2, 3, 1});
         b.output(b.linear(b.reshape(y, {1, 4 * 5 * 4}), 3));
     }},
    {"activation_of_a_transpose_whose_source_is_read_too",
     [](GraphBuilder& b) {
         const ValueId x = b.conv(b.input({1, 3, 4, 5}), 4, 3);
         const ValueId y = b.transpose(b.relu(b.transpose(x, {0, 2, 3, 1})), {0, 3, 1, 2});
         b.output(b.binary(BinaryKind::add, y, x));
     }},
    {"activation_of_a_transpose_whose_source_is_an_output",
     [](GraphBuilder& b) {
         const ValueId x = b.conv(b.input({1, 3, 4, 5}), 4, 3);
         b.output(b.relu(b.transpose(x, {0, 2, 3, 1})));
         b.output(x);
     }},
    {"activation_of_one_of_two_transposes",
     [](GraphBuilder& b) {
         const ValueId x = b.linear(b.input({1, 3, 5}), 4);
         const ValueId y = b.relu(b.transpose(x, {0, 2, 1}));
         b.output(b.binary(BinaryKind::add, y, b.transpose(x, {0, 2, 1})));
     }},
    {"transposed_output",
     [](GraphBuilder& b) {
         b.output(b.transpose(b.conv(b.input({1, 3, 4, 5}), 2, 1), {0, 3, 1, 2}));
     }},
    {"channel_shuffle",
     [](GraphBuilder& b) {
         ValueId x = b.reshape(b.conv(b.input({1, 3, 4, 4}), 6, 1), {1, 2, 3, 4, 4});
         x = b.reshape(b.transpose(x, {0, 2, 1, 3, 4}), {1, 6, 4, 4});
         b.output(b.conv(x, 2, 1));
     }},
    {"slice_of_an_image",
     [](GraphBuilder& b) {
         const ValueId x = b.conv(b.input({1, 2, 6, 5}), 4, 1);
         op::Slice s{{0, 1, 5, 0}, {1, 2, -2, 1}};
         b.output(b.add_as(s, {x}, {{1, 2, 3, 5}, true}));
     }},
    {"gather_channels",
     [](GraphBuilder& b) {
         const ValueId x = b.conv(b.input({1, 2, 3, 4}), 5, 1);
         const ValueId scalar = b.add(op::Gather{1, {3}, {}}, {x});
         const ValueId list = b.add(op::Gather{1, {4, 0}, {2}}, {x});
         const ValueId matrix = b.add(op::Gather{3, {0, 3, 1, 1}, {2, 2}}, {x});
         b.output(scalar), b.output(list), b.output(matrix);
     }},
    {"pad_modes",
     [](GraphBuilder& b) {
         const ValueId x = b.conv(b.input({1, 2, 4, 5}), 3, 1);
         for (PadMode mode : {PadMode::constant, PadMode::reflect, PadMode::edge})
             b.output(b.add(op::Pad{mode, {0, 0, 1, 2}, {0, 0, 2, -1}, 7}, {x}));
     }},
    {"two_readers_of_a_conv",  // its ReLU must not be fused away from the other reader
     [](GraphBuilder& b) {
         const ValueId x = b.conv(b.input({1, 2, 4, 4}), 3, 3);
         b.output(b.binary(BinaryKind::subtract, b.relu(x), x));
     }},
    {"output_in_the_middle",
     [](GraphBuilder& b) {
         const ValueId x = b.conv(b.input({1, 2, 4, 4}), 3, 3);
         b.output(x);
         b.output(b.conv(b.relu(x), 3, 3));
     }},
};

class Lowering : public ::testing::TestWithParam<NetworkCase> {};

TEST_P(Lowering, executes_to_what_plain_loops_give) {
    for (int64_t images : {1, 3, 5}) {
        GraphBuilder b(7);
        GetParam().build(b);
        std::vector<Tensor> inputs;
        std::vector<oracle::Array> wide;
        for (ValueId id : b.graph.inputs) {
            std::vector<int64_t> dims = b.graph.values[static_cast<size_t>(id)].shape.dims;
            dims[0] *= images;
            inputs.push_back(b.whole_numbers(dims, 3));
            wide.push_back({dims, {inputs.back().data.begin(), inputs.back().data.end()}});
        }
        auto expected = oracle::evaluate(b.graph, wide, images);
        const std::vector<Tensor> got = infer(*testing::backend_under_test(), b.graph, inputs, 3);
        for (size_t o = 0; o < got.size(); ++o) {
            const oracle::Array& want = expected.at(b.graph.outputs[o]);
            EXPECT_EQ(got[o].dims, want.dims) << GetParam().name << ", output " << o << ", batch " << images;
            ASSERT_EQ(got[o].data.size(), want.data.size());
            for (size_t i = 0; i < want.data.size(); ++i)
                ASSERT_EQ(got[o].data[i], want.data[i])
                    << GetParam().name << ", output " << o << ", element " << i << ", batch " << images;
        }
    }
}

/// Every output of `plan`, whose ranges are measured on the same images where it has any.
std::vector<std::vector<float>> outputs_of(Plan plan, const std::vector<Tensor>& inputs, int64_t images) {
    const auto backend = testing::backend_under_test();
    const auto program = backend->load(std::move(plan));
    Calibration calibration;
    if (needs_calibration(program->plan())) {
        const auto store = backend->upload(inputs[0].data, {}, images);
        calibration = calibrate(*program, {*store, images, 1});
    }
    const auto chip = program->make_chip();
    program->program(*chip, {1, 0, false}, calibration);
    const auto stream = program->make_stream(images);
    for (size_t i = 0; i < inputs.size(); ++i) stream->write(static_cast<int>(i), inputs[i].data, 0, images);
    stream->run(*chip, 0, static_cast<int>(program->plan().steps.size()));
    std::vector<std::vector<float>> outputs;
    for (const TensorId id : program->plan().outputs) {
        outputs.emplace_back(static_cast<size_t>(program->plan().elements(id, images)));
        stream->read(id, outputs.back());
    }
    return outputs;
}

/// Steps of `plan` that the node `name` became, and how many steps apply an activation on the side.
template <class Operation>
int64_t steps_of(const Plan& plan, const std::string& name) {
    return std::count_if(plan.steps.begin(), plan.steps.end(), [&](const Step& step) {
        return step.name == name && std::holds_alternative<Operation>(step.operation);
    });
}
int64_t fused_activations(const Plan& plan) {
    return std::count_if(plan.steps.begin(), plan.steps.end(),
                         [](const Step& step) { return step.activation.has_value(); });
}

TEST_P(Lowering, with_everything_standing_each_activation_and_batch_norm_is_a_step_and_no_bit_changes) {
    GraphBuilder b(7);
    GetParam().build(b);
    LoweringOptions options;
    options.choose = [](const Node&) { return LayerChoice{}; };
    const Plan fused = lower(number_nodes(b.graph), options);
    options.fuse_activations = false;
    const Plan standing = lower(number_nodes(b.graph), options);
    for (const Node& node : b.graph.nodes) {
        if (std::holds_alternative<op::Activate>(node.operation)) {
            EXPECT_EQ(steps_of<step::Activate>(standing, node.name), 1) << node.name;
        }
        if (std::holds_alternative<op::BatchNorm>(node.operation)) {
            EXPECT_EQ(steps_of<step::Affine>(standing, node.name), 1) << node.name;
        }
    }
    EXPECT_EQ(fused_activations(standing), 0);
    std::vector<Tensor> inputs;
    for (ValueId id : b.graph.inputs)
        inputs.push_back(b.whole_numbers(b.graph.values[static_cast<size_t>(id)].shape.dims, 3));
    EXPECT_EQ(outputs_of(standing, inputs, 1), outputs_of(fused, inputs, 1));
}

/// Every activation after every kind of step that can apply one, on fractions.
TEST(StandingActivations, have_the_bits_of_fused_ones) {
    for (const bool on_crossbars : {false, true})
        for (const ActivationKind kind : kActivations) {
            SCOPED_TRACE(std::string(name_of(kind)) + (on_crossbars ? " on crossbars" : ""));
            GraphBuilder b(29);
            const ValueId x = b.input({1, 3, 4, 5});
            const auto activated = [&](ValueId made) {
                b.output(b.add(op::Activate{{kind, 0.1f, 0.8f}}, {made}));
            };
            activated(b.conv(x, 3, 3));
            activated(b.linear(b.reshape(x, {1, 60}), 7));
            activated(b.batch_norm(x));
            activated(b.binary(BinaryKind::multiply, x, b.conv(x, 3, 1)));
            for (Node& node : b.graph.nodes) {
                auto* conv = std::get_if<op::Conv>(&node.operation);
                auto* linear = std::get_if<op::Linear>(&node.operation);
                if (!conv && !linear) continue;
                for (float& w : (conv ? conv->weight : linear->weight).data) w *= 0.0371f;
            }
            Tensor images = b.whole_numbers({2, 3, 4, 5}, 300);
            for (float& v : images.data) v *= 0.00737f;
            LoweringOptions options;
            options.choose = [&](const Node&) {
                LayerChoice choice;
                if (on_crossbars) choice.level = Level::crossbar;
                return choice;
            };
            const Plan fused = lower(number_nodes(b.graph), options);
            options.fuse_activations = false;
            const Plan standing = lower(number_nodes(b.graph), options);
            EXPECT_EQ(fused_activations(fused), 4);
            EXPECT_EQ(fused_activations(standing), 0);
            const auto got = outputs_of(standing, {images}, 2), want = outputs_of(fused, {images}, 2);
            for (size_t o = 0; o < want.size(); ++o)
                for (size_t i = 0; i < want[o].size(); ++i) {
                    if (std::isnan(want[o][i]) && std::isnan(got[o][i])) continue;  // a root of less than 0
                    ASSERT_EQ(got[o][i], want[o][i]) << "output " << o << ", element " << i;
                }
        }
}

/// Folding must give the same numbers: scales are whole numbers over two, so it is exact.
TEST_P(Lowering, folding_batch_norms_changes_nothing) {
    GraphBuilder b(11);
    GetParam().build(b);
    std::vector<Tensor> inputs;
    for (ValueId id : b.graph.inputs)
        inputs.push_back(b.whole_numbers(b.graph.values[static_cast<size_t>(id)].shape.dims, 3));
    const NumberedGraph folded = fold_batch_norm(number_nodes(b.graph));
    EXPECT_EQ(infer(*testing::backend_under_test(), folded.graph, inputs),
              infer(*testing::backend_under_test(), b.graph, inputs));
}

INSTANTIATE_TEST_SUITE_P(Networks, Lowering, ::testing::ValuesIn(kNetworks),
                         [](const auto& tested) { return std::string(tested.param.name); });

/// One layer of positive weights over positive inputs: each result is the sum of its terms' sizes.
std::vector<float> positive_products(Precision precision, bool window, int64_t* largest_batch = nullptr) {
    std::mt19937 random(17);
    const auto positive = [&random](std::vector<int64_t> dims) {
        int64_t count = 1;
        for (int64_t d : dims) count *= d;
        Tensor t{dims, std::vector<float>(static_cast<size_t>(count))};
        for (float& v : t.data) v = std::uniform_real_distribution<float>(0.1f, 1)(random);
        return t;
    };
    GraphBuilder b(0);
    const ValueId x = b.input({1, 24, 5, 6});
    const int64_t kernel = window ? 3 : 1;
    op::Conv conv;
    conv.spatial_rank = 2;
    conv.window.kernel[1] = conv.window.kernel[2] = kernel;
    conv.weight = positive({9, 24, kernel, kernel});
    b.output(b.add(std::move(conv), {x}));
    LoweringOptions options;
    options.choose = [](const Node&) { return LayerChoice{}; };
    options.precision = precision;
    const auto program = testing::backend_under_test()->load(lower(number_nodes(b.graph), options));
    if (largest_batch) {  // halved until it fits, so that one beyond the largest shows
        int64_t fits = 1, not_fit = int64_t{1} << 40;
        while (not_fit - fits > 1) {
            const int64_t batch = fits + (not_fit - fits) / 2;
            (program->fitting_batch(batch, 1) == batch ? fits : not_fit) = batch;
        }
        *largest_batch = fits;
    }
    const auto chip = program->make_chip();
    program->program(*chip, {0, 0, true}, {});
    const auto stream = program->make_stream(2, false);
    stream->write(0, positive({2, 24, 5, 6}).data, 0, 2);
    stream->run(*chip, 0, static_cast<int>(program->plan().steps.size()));
    std::vector<float> y(static_cast<size_t>(program->plan().elements(program->plan().outputs[0], 2)));
    stream->read(program->plan().outputs[0], y);
    return y;
}

TEST(Precision, factors_are_rounded_as_asked_or_the_backend_refuses) {
    if (testing::backend_under_test()->name() == "cpu") {
        EXPECT_THROW(positive_products(Precision::tf32, true), InputError);
        EXPECT_THROW(positive_products(Precision::bf16, false), InputError);
        return;
    }
    for (bool window : {true, false}) {
        int64_t exact_batch = 0, narrow_batch = 0;
        const std::vector<float> exact = positive_products(Precision::f32, window, &exact_batch);
        positive_products(Precision::bf16, window, &narrow_batch);
        EXPECT_LT(narrow_batch, exact_batch);  // copies in bfloat16 take memory too
        // Two factors are off by a unit of their last place at most, whether rounded or cut, and a result in
        // bf16 no more than rounding two factors leaves; sums of 216 terms by 216 x 2^-24 on either side.
        for (const auto& [precision, unit] :
             {std::pair(Precision::tf32, 0x1p-10), std::pair(Precision::bf16, 0x1p-7)}) {
            const std::vector<float> y = positive_products(precision, window);
            double largest = 0;
            for (size_t i = 0; i < y.size(); ++i)
                largest = std::max(largest, std::abs(double{y[i]} - exact[i]) / exact[i]);
            EXPECT_LE(largest, 2.1 * unit + 432 * 0x1p-24) << "window " << window;
            EXPECT_GT(largest, unit / 256) << "window " << window;  // something was rounded
        }
    }
}

TEST(FoldBatchNorm, folds_only_what_one_layer_alone_feeds_and_keeps_numbers) {
    GraphBuilder b(3);
    const ValueId x = b.conv(b.input({1, 2, 4, 4}), 3, 3);    // node 0: feeds a norm and the addition
    const ValueId y = b.conv(b.batch_norm(x), 3, 3);          // nodes 1, 2
    b.output(b.binary(BinaryKind::add, b.batch_norm(y), x));  // nodes 3, 4
    const NumberedGraph folded = fold_batch_norm(number_nodes(b.graph));
    EXPECT_EQ(folded.layer, (std::vector<uint32_t>{0, 1, 2, 4}));
    EXPECT_STREQ(operation_name(folded.graph.nodes[1].operation), "BatchNorm");
}

TEST(ResidualIdentity, is_the_operand_that_the_other_one_is_computed_from) {
    GraphBuilder b(3);
    const ValueId x = b.relu(b.conv(b.input({1, 2, 4, 4}), 3, 3));
    const ValueId branch = b.conv(x, 3, 3);
    const ValueId carried = b.binary(BinaryKind::add, branch, x);
    const ValueId projected = b.binary(BinaryKind::add, b.conv(carried, 4, 3), b.conv(carried, 4, 1));
    b.output(projected);
    auto node_of = [&](ValueId v) {
        for (const Node& n : b.graph.nodes)
            if (n.output == v) return n;
        throw std::logic_error("no such node");
    };
    EXPECT_EQ(residual_identity(b.graph, node_of(carried)), x);
    EXPECT_EQ(residual_identity(b.graph, node_of(projected)), -1);
    EXPECT_EQ(residual_identity(b.graph, node_of(branch)), -1);
}

TEST(LoweringParameters, ranges_domains_and_elements_of_analog_layers) {
    GraphBuilder b(5);
    const ValueId x = b.relu(b.batch_norm(b.conv(b.input({1, 2, 4, 4}), 3, 3)));
    b.output(b.binary(BinaryKind::add, b.conv(x, 3, 3), x));
    LoweringOptions options;
    options.analog_batch_norm = options.analog_identity = true;
    options.choose = [](const Node&) {
        LayerChoice choice;
        choice.level = Level::parameter;
        choice.parameter.sigma = 0.1;
        choice.parameter.mu = 0.01;
        return choice;
    };
    const NumberedGraph network = number_nodes(b.graph);
    const Plan plan = lower(network, options);
    std::vector<std::tuple<uint32_t, uint64_t, Domain>> draws;
    for (const Parameter& p : plan.parameters) {
        ASSERT_TRUE(p.perturbation.has_value());
        draws.emplace_back(p.perturbation->layer, p.perturbation->first_element, p.perturbation->domain);
        EXPECT_EQ(p.perturbation->sigma, 0.1f);
        EXPECT_EQ(p.perturbation->mu, p.perturbation->domain == Domain::identity ? 0.0f : 0.01f);
    }
    const uint64_t conv0 = 3 * 2 * 9, conv3 = 3 * 3 * 9;
    using D = std::tuple<uint32_t, uint64_t, Domain>;
    EXPECT_EQ(draws, (std::vector<D>{D{0, 0, Domain::parameter}, D{0, conv0, Domain::parameter},
                                     D{1, 0, Domain::parameter}, D{1, 3, Domain::parameter},
                                     D{3, 0, Domain::parameter}, D{3, conv3, Domain::parameter},
                                     D{4, 0, Domain::identity}}));
}

TEST(LoweringParameters, analog_identity_is_the_operand_that_the_other_one_is_computed_from) {
    for (size_t place : {0u, 1u}) {
        GraphBuilder b(5);
        const ValueId x = b.conv(b.input({1, 2, 4, 4}), 3, 3), y = b.conv(x, 3, 3);
        b.output(b.binary(BinaryKind::add, place == 0 ? x : y, place == 0 ? y : x));
        LoweringOptions options;
        options.analog_identity = true;
        options.choose = [](const Node&) {
            LayerChoice choice;
            choice.level = Level::parameter;
            return choice;
        };
        const Plan plan = lower(number_nodes(b.graph), options);
        const auto is = [](auto kind) {
            return [](const Step& s) { return std::holds_alternative<decltype(kind)>(s.operation); };
        };
        const auto first = std::find_if(plan.steps.begin(), plan.steps.end(), is(step::Conv{})),
                   scaled = std::find_if(plan.steps.begin(), plan.steps.end(), is(step::Affine{})),
                   sum = std::find_if(plan.steps.begin(), plan.steps.end(), is(step::Binary{}));
        ASSERT_NE(scaled, plan.steps.end());
        EXPECT_EQ(scaled->inputs[0], first->output);
        EXPECT_EQ(sum->inputs[place], scaled->output);
    }
}

}  // namespace
}  // namespace mho
