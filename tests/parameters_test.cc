// A plan's parameters go back to the nodes that they came from: written as ONNX and read again, the network
// gives the bits that the plan gives with those parameters.
#include "host/chip/parameters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "host/chip/batch_norm.h"
#include "host/chip/lowering.h"
#include "kernels/backend.h"
#include "models/onnx/onnx.h"
#include "tests/graph_builder.h"
#include "tests/temporary_directory.h"

namespace mho {
namespace {

using testing::GraphBuilder;

constexpr int64_t kImages = 3;

/// A layer of every kind that has parameters: convolutions with batch norms that fold and one that stands,
/// constants moved to channels last, one of them read by two nodes, a layer norm, a linear layer, a residual
/// connection.
Graph network() {
    GraphBuilder b(23);
    const ValueId start = b.conv(b.input({1, 3, 4, 5}), 4, 3);
    ValueId x = b.relu(b.batch_norm(b.conv(start, 4, 3, 1, 1, false)));
    x = b.binary(BinaryKind::add, b.batch_norm(start), x);
    x = b.binary(BinaryKind::add, b.conv(x, 4, 3, 1, 2), x);
    const ValueId shared = b.constant({4, 1, 5});
    x = b.binary(BinaryKind::multiply, x, shared);
    x = b.binary(BinaryKind::subtract, shared, x);
    x = b.binary(BinaryKind::add, x, b.constant({4, 5}));
    x = b.binary(BinaryKind::add, b.constant({}), x);
    x = b.reshape(x, {1, 4 * 4 * 5});
    x = b.add(op::LayerNorm{1, 1e-5f, b.whole_numbers({80}, 2), b.whole_numbers({80}, 2)}, {x});
    b.output(b.linear(x, 6));
    return b.graph;
}

Plan plan_of(const NumberedGraph& network, Level level, bool identity = false) {
    LoweringOptions options;
    options.analog_batch_norm = true;
    options.analog_identity = identity;
    options.choose = [level](const Node&) {
        LayerChoice choice;
        choice.level = level;
        choice.parameter.sigma = 0.1f;
        choice.parameter.mu = 0.03f;
        return choice;
    };
    return lower(network, options);
}

std::vector<std::vector<float>> values_of(const Plan& plan) {
    std::vector<std::vector<float>> values;
    for (const Parameter& parameter : plan.parameters) values.push_back(parameter.value);
    return values;
}

struct Executed {
    std::vector<std::vector<float>> parameters;  ///< as the chip has them
    std::vector<float> logits;
};

Executed run_of(Plan plan, const ChipAddress& address) {
    const auto program = make_cpu_backend()->load(std::move(plan));
    const auto chip = program->make_chip();
    program->program(*chip, address, {});
    const auto stream = program->make_stream(kImages);
    GraphBuilder b(5);
    Tensor images = b.whole_numbers({kImages, 3, 4, 5}, 500);
    for (float& v : images.data) v *= 0.00391f;
    stream->write(0, images.data, 0, kImages);
    const Plan& loaded = program->plan();
    stream->run(*chip, 0, static_cast<int>(loaded.steps.size()));
    Executed run;
    for (size_t i = 0; i < loaded.parameters.size(); ++i)
        run.parameters.push_back(chip->read_parameter(static_cast<ParameterId>(i)));
    run.logits.resize(static_cast<size_t>(loaded.elements(loaded.outputs[0], kImages)));
    stream->read(loaded.outputs[0], run.logits);
    return run;
}

constexpr ChipAddress kNominal{0, 0, true};

/// Written as ONNX, and read again.
Graph through_onnx(const Graph& graph) {
    const TemporaryDirectory folder;
    write_onnx(graph, folder / "network.onnx");
    return read_onnx(folder / "network.onnx");
}

class Parameters : public ::testing::TestWithParam<bool> {
  protected:
    const NumberedGraph network_ =
        GetParam() ? fold_batch_norm(number_nodes(network())) : number_nodes(network());
    const Plan plan_ = plan_of(network_, Level::digital);
};

TEST_P(Parameters, know_every_node_and_array_of_the_network_once) {
    std::set<std::pair<uint32_t, ParameterRole>> sources;
    for (const Parameter& parameter : plan_.parameters)
        EXPECT_TRUE(sources.emplace(parameter.source.node, parameter.source.role).second);
    using enum ParameterRole;
    const std::set<std::pair<uint32_t, ParameterRole>> plain{
        {0, weight},    {0, bias},   {1, weight}, {2, scale},    {2, shift},    {4, scale},
        {4, shift},     {6, weight}, {6, bias},   {8, constant}, {9, constant}, {10, constant},
        {11, constant}, {13, scale}, {13, shift}, {14, weight},  {14, bias}};
    std::set<std::pair<uint32_t, ParameterRole>> want = plain;
    if (GetParam()) {  // node 2 went into node 1
        want.erase({2, scale});
        want.erase({2, shift});
        want.emplace(1, bias);
    }
    EXPECT_EQ(sources, want);
}

TEST_P(Parameters, of_the_plan_itself_change_nothing) {
    EXPECT_EQ(with_parameters(network_, plan_, values_of(plan_)).graph, network_.graph);
}

TEST_P(Parameters, changed_go_back_to_onnx_with_every_bit) {
    Plan changed = plan_;
    GraphBuilder b(31);
    for (Parameter& parameter : changed.parameters) {
        const Tensor noise = b.whole_numbers({static_cast<int64_t>(parameter.value.size())}, 1000);
        for (size_t e = 0; e < parameter.value.size(); ++e) parameter.value[e] += 3.1e-4f * noise.data[e];
    }
    const NumberedGraph got = with_parameters(network_, plan_, values_of(changed));
    EXPECT_EQ(got.layer, network_.layer);
    validate(got.graph);
    const Executed want = run_of(changed, kNominal);
    EXPECT_NE(want.logits, run_of(plan_, kNominal).logits);
    const Plan again = plan_of(number_nodes(through_onnx(got.graph)), Level::digital);
    EXPECT_EQ(values_of(again), values_of(changed));
    EXPECT_EQ(run_of(again, kNominal).logits, want.logits);
}

TEST_P(Parameters, of_a_chip_become_a_network_of_its_own) {
    const Plan analog = plan_of(network_, Level::parameter);
    const Executed chip = run_of(analog, {7, 3, false});
    EXPECT_NE(chip.parameters, values_of(analog));
    const NumberedGraph got = with_parameters(network_, analog, chip.parameters);
    const Plan again = plan_of(number_nodes(through_onnx(got.graph)), Level::digital);
    EXPECT_EQ(run_of(again, kNominal).logits, chip.logits);
}

TEST_P(Parameters, of_another_network_are_refused) {
    const auto values = values_of(plan_);
    EXPECT_THROW(with_parameters(network_, plan_, {}), std::invalid_argument);
    auto longer = values;
    longer[3].push_back(0);
    EXPECT_THROW(with_parameters(network_, plan_, longer), std::invalid_argument);
    NumberedGraph other = network_;
    std::get<op::Conv>(other.graph.nodes[0].operation).bias.data[1] += 1;
    EXPECT_THROW(with_parameters(other, plan_, values), std::invalid_argument);
    NumberedGraph shorter = network_;
    shorter.layer.back() = 99;
    EXPECT_THROW(with_parameters(shorter, plan_, values), std::invalid_argument);
    const NumberedGraph otherwise =
        GetParam() ? number_nodes(network()) : fold_batch_norm(number_nodes(network()));
    EXPECT_THROW(with_parameters(otherwise, plan_, values), std::invalid_argument);
}

TEST_P(Parameters, that_only_chips_have_stay_as_they_are) {
    const Plan plan = plan_of(network_, Level::parameter, true);
    auto values = values_of(plan);
    EXPECT_EQ(with_parameters(network_, plan, values).graph, network_.graph);
    const auto factors = std::find_if(plan.parameters.begin(), plan.parameters.end(), [](const Parameter& p) {
        return p.source.role == ParameterRole::identity;
    });
    ASSERT_NE(factors, plan.parameters.end());
    values[static_cast<size_t>(factors - plan.parameters.begin())][0] = 1.5f;
    EXPECT_THROW(with_parameters(network_, plan, values), std::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(BatchNorms, Parameters, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "folded" : "standing"; });

}  // namespace
}  // namespace mho
