// What a config means for the layers of a network: choices for the lowering, and what is refused before
// anything runs.
#include "host/chip/point_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "host/config/read.h"
#include "kernels/base/error.h"
#include "tests/graph_builder.h"

namespace mho {
namespace {

using testing::GraphBuilder;
using ::testing::HasSubstr;

/// Two convolutions and a linear layer, each of other extents; no residual connection.
Graph network() {
    GraphBuilder b(4);
    const ValueId x = b.relu(b.conv(b.relu(b.conv(b.input({1, 2, 4, 4}), 3, 3)), 5, 3));
    b.output(b.linear(b.reshape(b.mean(x, {2, 3}), {1, 5}), 4));
    for (Node& node : b.graph.nodes)
        if (auto* conv = std::get_if<op::Conv>(&node.operation))
            for (float& w : conv->weight.data) w *= static_cast<float>(conv->weight.dims[0]);
    return b.graph;
}

std::vector<std::string> layer_names(const Graph& graph) {
    std::vector<std::string> names;
    for (const Node* node : weight_layers(graph)) names.push_back(node->name);
    return names;
}

Config config(const std::string& text) {
    return parse_config("[model]\nfile = \"x.onnx\"\n" + text, "run.toml");
}

Plan plan_of(const std::string& text) {
    const Config c = config("[chip]\nlevel = \"crossbar\"\n" + text);
    const NumberedGraph numbered = prepare_network(network(), c);
    return lower(numbered, lowering_options(c, numbered));
}

std::string refusal(const std::string& text, const Graph& graph = network()) {
    const Config c = config(text);
    try {
        check_points(c, sweep_points(c), graph);
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

std::string lowering_refusal(const std::string& text, const Graph& graph) {
    const Config c = config(text);
    const NumberedGraph numbered = prepare_network(graph, c);
    try {
        lower(numbered, lowering_options(c, numbered));
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

std::string for_layer(size_t layer, const std::string& keys) {
    return "[[layer]]\nmatch = \"" + layer_names(network())[layer] + "\"\n" + keys;
}

TEST(PointPlan, one_scale_spans_the_layers_that_ask_for_it_and_no_other) {
    const Plan each = plan_of("");
    const Plan all = plan_of("[crossbar]\nscale = \"network\"\n");
    const Plan but_one =
        plan_of("[crossbar]\nscale = \"network\"\n" + for_layer(1, "crossbar.scale = \"column\"\n"));
    const Plan two = plan_of(for_layer(0, "crossbar.scale = \"network\"\n") +
                             for_layer(2, "crossbar.scale = \"network\"\n"));
    const auto lsb = [](const Plan& plan, size_t layer) { return plan.crossbars[layer].weight_lsb; };
    EXPECT_NE(lsb(each, 0)[0], lsb(each, 1)[0]);
    EXPECT_EQ(lsb(all, 0)[0], lsb(all, 1)[0]);
    EXPECT_EQ(lsb(all, 0)[0], lsb(all, 2)[0]);
    EXPECT_EQ(lsb(but_one, 1), lsb(plan_of("[crossbar]\nscale = \"column\"\n"), 1));
    EXPECT_EQ(lsb(but_one, 0)[0], std::max(lsb(each, 0)[0], lsb(each, 2)[0]));
    EXPECT_EQ(lsb(two, 0)[0], lsb(two, 2)[0]);
    EXPECT_EQ(lsb(two, 1), lsb(each, 1));
}

TEST(PointPlan, layers_differ_where_they_are_told_to) {
    const Plan plan = plan_of("[adc]\nrange = \"calibrated\"\npercentile = 99\n" +
                              for_layer(1, "adc.range = \"max\"\ncrossbar.rows = 7\n") +
                              for_layer(2, "adc.calibrate = \"chip\"\ndevice.sigma = 0.5\n"));
    EXPECT_EQ(plan.crossbars[0].adc.range, AdcRange::calibrated);
    EXPECT_EQ(plan.crossbars[1].adc.range, AdcRange::max);
    EXPECT_EQ(plan.crossbars[0].row_tiles(), 1);
    EXPECT_EQ(plan.crossbars[1].row_tiles(), 4);  // 27 rows
    EXPECT_EQ(plan.crossbars[1].adc.calibrate, CalibrateOn::nominal);
    EXPECT_EQ(plan.crossbars[2].adc.calibrate, CalibrateOn::chip);
    EXPECT_EQ(plan.crossbars[2].device.sigma, 0.5);
    EXPECT_EQ(plan.crossbars[0].device.sigma, 0.0);
}

TEST(PointPlan, layers_are_matched_by_their_module_and_their_weight_too) {
    Graph graph = network();
    graph.nodes[0].also = {"stem.conv", "stem.conv.weight"};
    for (const char* match : {"stem.conv", "stem.*", "*.weight"}) {
        const Config c = config(std::string("[chip]\nlevel = \"crossbar\"\n[[layer]]\nmatch = \"") + match +
                                "\"\ncrossbar.rows = 7\n");
        check_points(c, sweep_points(c), graph);
        const NumberedGraph numbered = prepare_network(graph, c);
        const Plan plan = lower(numbered, lowering_options(c, numbered));
        EXPECT_EQ(plan.crossbars[0].crossbar.rows, 7) << match;
        EXPECT_EQ(plan.crossbars[1].crossbar.rows, 256) << match;
    }
}

struct SliceCase {
    const char *keys, *scheme;
    std::vector<int64_t> bits, full, weight;
    int64_t joined_step;
};

/// docs/physics.md section 2, by hand: 8-bit weights have 7 bits of magnitude (`offset`: levels to 254), and
/// the grid 21,844 codes up to g_max.
TEST(PointPlan, weights_are_cut_into_slices_as_asked) {
    const SliceCase cases[] = {
        {"cell_bits = 5", "differential", {4, 3}, {15, 7}, {15, 7 * 16}, 21840},  // 105 divides 21,840
        {"cell_bits = 5\nslice_bits = \"low-first\"", "differential", {5, 2}, {31, 3}, {31, 3 * 32}, 21762},
        {"cell_bits = 5\nslice_range = \"common\"", "differential", {4, 3}, {15, 15}, {1, 16}, 1456},
        {"cell_bits = 5\nslice_bits = \"low-first\"\nslice_range = \"common\"",
         "differential",
         {5, 2},
         {31, 31},
         {1, 32},
         704},
        {"cell_bits = 2", "differential", {2, 2, 2, 1}, {3, 3, 3, 1}, {3, 12, 48, 64}, 21843},
        {"cell_bits = 8", "differential", {7}, {127}, {1}, 172},
        {"cell_bits = 7", "offset", {4, 4}, {15, 15}, {1, 16}, 1456},
        {"cell_bits = 7\nslice_bits = \"low-first\"", "offset", {7, 1}, {127, 1}, {127, 128}, 21844},
        {"cell_bits = 5", "balanced", {4, 3}, {15, 7}, {15, 7 * 16}, 21840},  // of 210
    };
    for (const SliceCase& c : cases) {
        const Plan plan = plan_of(std::string("[crossbar]\nscheme = \"") + c.scheme + "\"\n" + c.keys + "\n");
        const LevelGrid& grid = plan.crossbars[0].grid;
        ASSERT_EQ(grid.slices.size(), c.bits.size()) << c.keys;
        int64_t shift = 0;
        for (size_t s = 0; s < c.bits.size(); ++s) {
            EXPECT_EQ(grid.slices[s].bits, c.bits[s]) << c.keys;
            EXPECT_EQ(grid.slices[s].shift, shift) << c.keys;
            EXPECT_EQ(grid.slices[s].full, c.full[s]) << c.keys;
            EXPECT_EQ(grid.slices[s].weight, c.weight[s]) << c.keys;
            EXPECT_EQ(grid.slices[s].g_step * c.full[s], grid.span) << c.keys;
            EXPECT_EQ(grid.slices[s].g_step * grid.slices[s].weight, grid.joined_step << shift) << c.keys;
            shift += c.bits[s];
        }
        EXPECT_EQ(grid.joined_step, c.joined_step) << c.keys;
    }
    EXPECT_THAT(refusal("[chip]\nlevel = \"crossbar\"\n[crossbar]\nweight_bits = 16\ncell_bits = 8\n"),
                HasSubstr("slices of 256 and 128 levels"));
    EXPECT_EQ(refusal("[chip]\nlevel = \"crossbar\"\n[crossbar]\nweight_bits = 16\ncell_bits = "
                      "8\nslice_range = \"common\"\n"),
              "");
}

TEST(PointPlan, sums_that_64_bits_might_not_hold_are_refused) {
    // 2^17 rows x 32,767 x 2^16 codes x two polarities of weights that sum to 2^15 - 1.
    const std::string wide = "[chip]\nlevel = \"crossbar\"\n[crossbar]\nweight_bits = 16\ndac_bits = 1\n";
    GraphBuilder b(4);
    b.output(b.linear(b.input({1, 1 << 17}), 1));
    EXPECT_THAT(
        lowering_refusal(wide + "input_bits = 16\ncell_bits = 1\n", b.graph),
        HasSubstr("may need more than 64 bits"));
    EXPECT_EQ(lowering_refusal(wide + "cell_bits = 2\nslice_range = \"common\"\ninput_bits = 8\n", b.graph),
              "");
}

/// A tensor that two layers share is stored twice: each has devices of its own.
TEST(PointPlan, a_weight_used_twice_has_devices_of_its_own_each_time) {
    GraphBuilder b(4);
    const ValueId x = b.input({1, 4});
    const ValueId first = b.linear(x, 4);
    const op::Linear shared = std::get<op::Linear>(b.graph.nodes[0].operation);
    b.output(b.add(shared, {first}));
    const Config c = config("[parameter]\nsigma = 0.1\n");
    const NumberedGraph numbered = prepare_network(b.graph, c);
    const Plan plan = lower(numbered, lowering_options(c, numbered));
    ASSERT_GE(plan.parameters.size(), 2u);
    std::set<uint32_t> layers;
    for (const Parameter& p : plan.parameters)
        if (p.perturbation) layers.insert(p.perturbation->layer);
    EXPECT_EQ(layers.size(), 2u);
    const Config on_arrays = config("[chip]\nlevel = \"crossbar\"\n[device]\nsigma = 0.1\n");
    const Plan arrays = lower(numbered, lowering_options(on_arrays, numbered));
    ASSERT_EQ(arrays.crossbars.size(), 2u);
    EXPECT_NE(arrays.crossbars[0].layer, arrays.crossbars[1].layer);
}

TEST(PointPlan, points_that_cannot_be_run_are_refused_before_any_is) {
    EXPECT_EQ(refusal(""), "");
    EXPECT_THAT(refusal("[chip]\nidentity = \"analog\"\n"), HasSubstr("no residual connection"));
    EXPECT_THAT(refusal("[chip]\nlevel = \"crossbar\"\n[sweep]\n\"device.g_min\" = [0, "
                        "99.9]\n[crossbar]\ncell_bits = 8\n"),
                HasSubstr("do not fit the conductance grid"));
    EXPECT_THAT(refusal("[[layer]]\nmatch = \"nope\"\ndigital = true\n"), HasSubstr("matches no layer"));
    GraphBuilder residual(4);
    const ValueId x = residual.conv(residual.input({1, 2, 4, 4}), 3, 3);
    residual.output(residual.binary(BinaryKind::add, residual.conv(x, 3, 3), x));
    EXPECT_EQ(refusal("[chip]\nidentity = \"analog\"\n", residual.graph), "");
}

TEST(PointPlan, a_layer_that_is_there_at_some_points_may_be_named) {
    GraphBuilder b(4);
    b.output(b.batch_norm(b.conv(b.input({1, 2, 4, 4}), 3, 3)));
    const std::string norm = b.graph.nodes[1].name;
    const std::string layer = "[[layer]]\nmatch = \"" + norm + "\"\ndigital = true\n";
    EXPECT_EQ(refusal(layer + "[sweep]\n\"chip.batch_norm\" = [\"fold\", \"analog\"]\n", b.graph), "");
    EXPECT_THAT(refusal(layer, b.graph), HasSubstr("matches no layer"));
}

}  // namespace
}  // namespace mho
