// ONNX files in and out: what is written reads back equal, patterns become one operation, and every kind of
// malformed or unsupported file is refused by node, operator and reason. Files are stated in protobuf's text
// format.
#include "models/onnx/onnx.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "kernels/base/error.h"
#include "models/zoo.h"
#include "tests/graph_builder.h"
#include "tests/temporary_directory.h"

namespace mho {
namespace {

using testing::GraphBuilder;
using ::testing::HasSubstr;
using testing::parametrised;
namespace fs = std::filesystem;

/// A file of this process alone, in a folder that goes when it ends.
fs::path scratch(const std::string& name) {
    static const TemporaryDirectory folder;
    return folder / name;
}

Graph written_and_read(const Graph& graph, const std::string& name) {
    const fs::path file = scratch(name + ".onnx");
    write_onnx(graph, file);
    return read_onnx(file);
}

void expect_round_trip(const Graph& graph, const std::string& name) {
    const Graph again = written_and_read(graph, name), want = compacted(graph);
    ASSERT_EQ(again.nodes.size(), want.nodes.size());
    for (size_t i = 0; i < want.nodes.size(); ++i) {
        EXPECT_EQ(again.nodes[i].name, want.nodes[i].name);
        EXPECT_TRUE(again.nodes[i].operation == want.nodes[i].operation) << want.nodes[i].name;
        EXPECT_EQ(again.values[static_cast<size_t>(again.nodes[i].output)].shape,
                  want.values[static_cast<size_t>(want.nodes[i].output)].shape);
    }
    EXPECT_TRUE(compacted(again) == want);
}

TEST(OnnxWriter, zoo_networks_come_back_equal) {
    for (const std::string name : {"digits_cnn", "wrn16_2_cifar100"})
        expect_round_trip(read_onnx(find_model(name)), name);
}

TEST(OnnxWriter, layers_come_back_equal) {
    GraphBuilder b(3);
    const ValueId x = b.input({1, 4, 9, 8});
    const ValueId y = b.batch_norm(b.conv(x, 6, 3, 2, 2, true, 1));
    const ValueId flat = b.reshape(b.pool(y, PoolKind::maximum, 2, 2, 0), {1, 6 * 2 * 2});
    b.output(b.linear(flat, 5));
    b.output(b.linear(b.transpose(b.reshape(y, {1, 6, 20}), {0, 2, 1}), 7));
    b.output(b.linear(b.transpose(b.reshape(y, {1, 6, 20}), {0, 2, 1}), 7, false));
    expect_round_trip(b.graph, "layers");
}

TEST(OnnxWriter, every_activation_comes_back_equal) {
    GraphBuilder b(4);
    ValueId x = b.input({1, 3, 5});
    for (ActivationKind kind : kActivations) x = b.add(op::Activate{parametrised(kind)}, {x});
    b.output(x);
    expect_round_trip(b.graph, "activations");
}

TEST(OnnxWriter, movement_and_reduction_come_back_equal) {
    GraphBuilder b(5);
    const ValueId x = b.input({1, 4, 6, 5});
    b.output(b.mean(x, {2, 3}));
    b.output(b.mean(x, {1}, false));
    b.output(b.add(op::Concat{1}, {x, b.add(op::Softmax{1}, {x})}));
    b.output(b.add_as(op::Slice{{0, 3, 0, 1}, {1, -1, 1, 2}}, {x}, {{1, 4, 6, 2}, true}));
    b.output(b.add(op::Gather{2, {3, 0, 5, 5}, {2, 2}}, {x}));
    b.output(b.add(op::Pad{PadMode::constant, {0, 0, 1, 2}, {0, 1, 0, -1}, 1.5f}, {x}));
    b.output(b.add(op::Pad{PadMode::reflect, {0, 0, 1, 2}, {0, 0, 0, 1}, 0}, {x}));
    b.output(b.pool(x, PoolKind::average, 3, 2, 1));
    b.output(b.binary(BinaryKind::divide, b.binary(BinaryKind::subtract, x, b.constant({4, 1, 1})),
                      b.constant({})));
    op::LayerNorm norm{2, 1e-4f, b.whole_numbers({6, 5}, 3), b.whole_numbers({6, 5}, 3)};
    b.output(b.add(norm, {x}));
    expect_round_trip(b.graph, "movement");
}

TEST(OnnxWriter, names_that_parts_of_nodes_would_have_stay_free) {
    GraphBuilder b(6);
    const ValueId x = b.input({1, 3, 4});
    const ValueId y = b.linear(x, 4);
    b.output(b.add(op::Activate{{ActivationKind::silu, 0, 0}},
                   {b.binary(BinaryKind::multiply, y, b.constant({4}))}));
    const auto rename_value = [&](size_t id, const std::string& name) { b.graph.values[id].name = name; };
    b.graph.nodes[0].name = "n";
    b.graph.nodes[1].name = "n:sum";
    b.graph.nodes[2].name = "s";
    for (const auto& [product, constant] :
         {std::pair{"v", "n.weight"}, std::pair{"v", "n.bias"}, std::pair{"v", "v:product"},
          std::pair{"w:sigmoid", "s:sigmoid"}}) {
        SCOPED_TRACE(constant);
        rename_value(static_cast<size_t>(y), product);
        rename_value(static_cast<size_t>(b.graph.nodes[1].inputs[1]), constant);
        rename_value(static_cast<size_t>(b.graph.outputs[0]), "w");
        expect_round_trip(b.graph, "names");
    }
}

TEST(OnnxWriter, outputs_listed_twice_and_inputs_as_outputs_come_back) {
    GraphBuilder b(7);
    const ValueId x = b.input({1, 3}), y = b.relu(x);
    for (ValueId id : {y, x, y}) b.output(id);
    expect_round_trip(b.graph, "outputs");
}

TEST(OnnxWriter, values_of_one_name_are_told_apart) {
    GraphBuilder b(8);
    ValueId x = b.input({1, 3});
    for (int i = 0; i < 3; ++i) x = b.binary(BinaryKind::add, b.relu(x), b.constant({3}));
    b.output(x);
    for (Value& value : b.graph.values) value.name = "same";
    const Graph again = written_and_read(b.graph, "same");
    ASSERT_EQ(again.nodes.size(), b.graph.nodes.size());
    for (size_t i = 0; i < again.nodes.size(); ++i)
        EXPECT_TRUE(again.nodes[i].operation == b.graph.nodes[i].operation);
    const Graph want = compacted(b.graph);
    for (size_t i = 0; i < want.values.size(); ++i)
        EXPECT_EQ(again.values[i].constant, want.values[i].constant);
}

TEST(OnnxWriter, says_where_it_cannot_write) {
    GraphBuilder b(1);
    b.output(b.relu(b.input({1, 2})));
    try {
        write_onnx(b.graph, "/nowhere/at/all.onnx");
        FAIL();
    } catch (const RunError& error) {
        EXPECT_THAT(error.what(), HasSubstr("/nowhere/at/all.onnx"));
    }
}

// --- reading

/// A model of opset 20 with input x of [1, 3, 4], output y, and the rest as stated.
std::string model_text(const std::string& rest) {
    return "ir_version: 8 opset_import { version: 20 } graph { name: 'g' "
           "input { name: 'x' type { tensor_type { elem_type: 1 shape { dim { dim_param: 'n' } dim { "
           "dim_value: 3 } "
           "dim { dim_value: 4 } } } } } output { name: 'y' } " +
           rest + " }";
}

/// A model of opset 20 with inputs x, x1, ... of the extents (or the name of a symbolic one), output y.
std::string model_of(const std::vector<std::vector<std::string>>& inputs, const std::string& rest) {
    std::string text = "ir_version: 8 opset_import { version: 20 } graph { name: 'g' output { name: 'y' } ";
    for (size_t i = 0; i < inputs.size(); ++i) {
        text += fmt::format("input {{ name: 'x{}' type {{ tensor_type {{ elem_type: 1 shape {{ ",
                            i == 0 ? "" : std::to_string(i));
        for (const std::string& extent : inputs[i])
            text += isdigit(extent[0]) ? fmt::format("dim {{ dim_value: {} }} ", extent)
                                       : fmt::format("dim {{ dim_param: '{}' }} ", extent);
        text += "} } } } ";
    }
    return text + rest + " }";
}

std::string bytes_of(const std::string& text) {
    onnx::ModelProto model;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &model)) << text;
    return model.SerializeAsString();
}

Graph parsed(const std::string& text) {
    return parse_onnx(bytes_of(text), "test.onnx", ::testing::TempDir());
}

std::string node(const std::string& operation, const std::string& inputs, const std::string& output,
                 const std::string& attributes = "") {
    std::string text = "node { op_type: '" + operation + "' name: '" + operation + "_" + output +
                       "' output: '" + output + "' ";
    for (size_t begin = 0; begin < inputs.size();) {
        const size_t end = std::min(inputs.find(' ', begin), inputs.size());
        text += "input: '" + inputs.substr(begin, end - begin) + "' ";
        begin = end + 1;
    }
    return text + attributes + " } ";
}

std::string scalar(const std::string& name, float value) {
    return "initializer { name: '" + name + "' data_type: 1 float_data: " + std::to_string(value) + " } ";
}

std::string floats(const std::string& name, const std::vector<int64_t>& dims) {
    std::string text = "initializer { name: '" + name + "' data_type: 1 ";
    int64_t count = 1;
    for (int64_t d : dims) {
        text += "dims: " + std::to_string(d) + " ";
        count *= d;
    }
    for (int64_t i = 0; i < count; ++i) text += "float_data: " + std::to_string(i + 1) + " ";
    return text + "} ";
}

/// All elements alike.
std::string filled(const std::string& name, const std::vector<int64_t>& dims, double value) {
    std::string text = "initializer { name: '" + name + "' data_type: 1 ";
    int64_t count = 1;
    for (int64_t d : dims) {
        text += "dims: " + std::to_string(d) + " ";
        count *= d;
    }
    for (int64_t i = 0; i < count; ++i) text += fmt::format("float_data: {} ", value);
    return text + "} ";
}

std::string integers(const std::string& name, const std::vector<int64_t>& values, bool is_scalar = false) {
    std::string text = "initializer { name: '" + name + "' data_type: 7 ";
    if (!is_scalar) text += "dims: " + std::to_string(values.size()) + " ";
    for (int64_t v : values) text += "int64_data: " + std::to_string(v) + " ";
    return text + "} ";
}

ActivationKind only_activation(const Graph& graph) {
    EXPECT_EQ(graph.nodes.size(), 1u);
    return std::get<op::Activate>(graph.nodes.at(0).operation).activation.kind;
}

TEST(OnnxPatterns, gelu_as_exporters_spell_it) {
    // x / sqrt 2 -> erf -> + 1 -> x * that -> * 0.5
    EXPECT_EQ(only_activation(parsed(model_text(scalar("r", 1.41421356f) + scalar("one", 1) +
                                                scalar("half", 0.5f) + node("Div", "x r", "a") +
                                                node("Erf", "a", "b") + node("Add", "b one", "c") +
                                                node("Mul", "x c", "d") + node("Mul", "d half", "y")))),
              ActivationKind::gelu);
    // 0.5 x first.
    EXPECT_EQ(only_activation(parsed(model_text(scalar("r", 0.70710678f) + scalar("one", 1) +
                                                scalar("half", 0.5f) + node("Mul", "x r", "a") +
                                                node("Erf", "a", "b") + node("Add", "one b", "c") +
                                                node("Mul", "half x", "d") + node("Mul", "d c", "y")))),
              ActivationKind::gelu);
    EXPECT_EQ(only_activation(parsed(model_text(
                  scalar("three", 3) + scalar("k", 0.044715f) + scalar("r", 0.79788456f) + scalar("one", 1) +
                  scalar("half", 0.5f) + node("Pow", "x three", "a") + node("Mul", "a k", "b") +
                  node("Add", "x b", "c") + node("Mul", "c r", "d") + node("Tanh", "d", "e") +
                  node("Add", "e one", "f") + node("Mul", "x f", "g") + node("Mul", "g half", "y")))),
              ActivationKind::gelu_tanh);
}

TEST(OnnxPatterns, silu_and_hard_swish) {
    EXPECT_EQ(only_activation(parsed(model_text(node("Sigmoid", "x", "a") + node("Mul", "a x", "y")))),
              ActivationKind::silu);
    EXPECT_EQ(only_activation(parsed(model_text(node("Swish", "x", "y")))), ActivationKind::silu);
    EXPECT_EQ(only_activation(parsed(model_text(
                  scalar("three", 3) + scalar("zero", 0) + scalar("six", 6) + node("Add", "x three", "a") +
                  node("Clip", "a zero six", "b") + node("Mul", "x b", "c") + node("Div", "c six", "y")))),
              ActivationKind::hard_swish);
}

TEST(OnnxPatterns, what_is_nearly_one_stays_as_it_is) {
    // A slope that is not GELU's.
    EXPECT_EQ(parsed(model_text(scalar("r", 0.71f) + scalar("one", 1) + scalar("half", 0.5f) +
                                node("Mul", "x r", "a") + node("Erf", "a", "b") + node("Add", "one b", "c") +
                                node("Mul", "half x", "d") + node("Mul", "d c", "y")))
                  .nodes.size(),
              5u);
    EXPECT_EQ(parsed(model_text(node("Sigmoid", "x", "a") + node("Mul", "a a", "y"))).nodes.size(), 2u);
    // SiLU and HardSwish, but for a clip far out.
    for (float bound : {7.5f, 8.0f, 90.0f, 1e5f, 1e12f}) {
        SCOPED_TRACE(bound);
        const std::string clipped =
            scalar("low", -bound) + scalar("high", bound) + node("Clip", "x low high", "c");
        EXPECT_EQ(
            parsed(model_text(clipped + node("Sigmoid", "x", "a") + node("Mul", "c a", "y"))).nodes.size(),
            3u);
        EXPECT_EQ(parsed(model_text(clipped +
                                    node("HardSigmoid", "x", "a",
                                         "attribute { name: 'alpha' f: 0.16666667 type: FLOAT }") +
                                    node("Mul", "c a", "y")))
                      .nodes.size(),
                  3u);
    }
}

/// One constant an output that is added after a layer is its bias, however a file spells it.
TEST(OnnxPatterns, what_is_added_to_every_output_of_a_convolution_is_its_bias) {
    const std::string conv = floats("w", {2, 3, 1}) + floats("own", {2});
    for (const auto& dims : {std::vector<int64_t>{2, 1}, {1, 2, 1}, {}}) {
        for (const bool has_own : {false, true}) {
            const Graph g =
                parsed(model_text(conv + floats("b", dims) + node("Conv", has_own ? "x w own" : "x w", "a") +
                                  node("Add", "a b", "y")));
            ASSERT_EQ(g.nodes.size(), 1u);
            EXPECT_EQ(g.nodes[0].name, "Conv_a");
            std::vector<float> want = dims.empty() ? std::vector<float>{1, 1} : std::vector<float>{1, 2};
            if (has_own) want[0] += 1, want[1] += 2;
            EXPECT_EQ(std::get<op::Conv>(g.nodes[0].operation).bias.data, want);
        }
    }
    for (const auto& dims : {std::vector<int64_t>{2, 4}, {4}, {1, 1, 4}})  // varies along the image
        EXPECT_EQ(
            parsed(model_text(conv + floats("b", dims) + node("Conv", "x w", "a") + node("Add", "a b", "y")))
                .nodes.size(),
            2u);
}

TEST(OnnxFolding, weights_standardised_in_the_file_are_constants) {
    // Rows 1 2 3 and 4 5 6 of two output channels: less their mean, over their standard deviation.
    const double root = std::sqrt(2.0 / 3 + 1e-5);
    const std::vector<double> want{-1 / root, 0, 1 / root, -1 / root, 0, 1 / root};
    const std::string by_batch_norm = floats("w", {2, 3, 1}) + filled("one", {2}, 1) +
                                      filled("zero", {2}, 0) + integers("flat", {1, 2, 3}) +
                                      integers("back", {2, 3, 1}) + node("Reshape", "w flat", "f") +
                                      node("BatchNormalization", "f one zero zero one", "n",
                                           "attribute { name: 'training_mode' i: 1 type: INT }") +
                                      node("Reshape", "n back", "s");
    const std::string by_means = floats("w", {2, 3, 1}) + filled("e", {}, 1e-5) + integers("along", {1, 2}) +
                                 node("ReduceMean", "w along", "m") + node("Sub", "w m", "d") +
                                 node("Mul", "d d", "q") + node("ReduceMean", "q along", "v") +
                                 node("Add", "v e", "ve") + node("Sqrt", "ve", "r") + node("Div", "d r", "s");
    for (const std::string& weights : {by_batch_norm, by_means}) {
        const Graph g = parsed(model_text(weights + node("Conv", "x s", "y")));
        ASSERT_EQ(g.nodes.size(), 1u);
        const std::vector<float>& got = std::get<op::Conv>(g.nodes[0].operation).weight.data;
        ASSERT_EQ(got.size(), 6u);
        for (size_t i = 0; i < 6; ++i)
            EXPECT_NEAR(static_cast<double>(got[i]), want[i], 4e-7)
                << i;  // a few roundings of numbers near 1
    }
}

TEST(OnnxFolding, weights_over_their_norm_are_constants) {
    const Graph g = parsed(model_text(floats("w", {2, 3, 1}) + integers("along", {-1, 1}) +
                                      node("ReduceL2", "w along", "n") + node("Div", "w n", "s") +
                                      node("Conv", "x s", "y")));
    ASSERT_EQ(g.nodes.size(), 1u);
    const std::vector<float>& got = std::get<op::Conv>(g.nodes[0].operation).weight.data;
    ASSERT_EQ(got.size(), 6u);
    for (size_t i = 0; i < 6; ++i)
        EXPECT_NEAR(static_cast<double>(got[i]), static_cast<double>(i + 1) / std::sqrt(i < 3 ? 14.0 : 77.0),
                    2e-7)
            << i;
}

TEST(OnnxPatterns, a_product_and_a_sum_are_one_layer) {
    const Graph g = parsed(model_text(floats("w", {4, 2}) + floats("b", {2}) + node("MatMul", "x w", "a") +
                                      node("Add", "b a", "y")));
    ASSERT_EQ(g.nodes.size(), 1u);
    EXPECT_EQ(g.nodes[0].name, "MatMul_a");
    EXPECT_EQ(std::get<op::Linear>(g.nodes[0].operation).bias.data, (std::vector<float>{1, 2}));
    // The product is read elsewhere too, or the constant is no vector of outputs: they stay apart.
    EXPECT_EQ(parsed(model_text(floats("w", {4, 2}) + floats("b", {2}) + node("MatMul", "x w", "a") +
                                node("Add", "b a", "c") + node("Add", "c a", "y")))
                  .nodes.size(),
              3u);
    EXPECT_EQ(parsed(model_text(floats("w", {4, 2}) + floats("b", {3, 1}) + node("MatMul", "x w", "a") +
                                node("Add", "b a", "y")))
                  .nodes.size(),
              2u);
}

/// A layer normalisation of x over its last axis, spelled out, without scale and shift.
std::string layer_norm_core(const std::string& output = "q") {
    return integers("axes", {-1}) + scalar("two", 2) + scalar("eps", 0.001f) +
           node("ReduceMean", "x axes", "m") + node("Sub", "x m", "d") + node("Pow", "d two", "s") +
           node("ReduceMean", "s axes", "v") + node("Add", "v eps", "e") + node("Sqrt", "e", "r") +
           node("Div", "d r", output);
}

TEST(OnnxPatterns, layer_norm_spelled_out) {
    const Graph plain = parsed(model_text(layer_norm_core("y")));
    ASSERT_EQ(plain.nodes.size(), 1u);
    EXPECT_EQ(std::get<op::LayerNorm>(plain.nodes[0].operation).scale.data, (std::vector<float>(4, 1.0f)));
    const Graph whole = parsed(model_text(layer_norm_core() + floats("scale", {4}) + floats("shift", {4}) +
                                          node("Mul", "q scale", "p") + node("Add", "p shift", "y")));
    ASSERT_EQ(whole.nodes.size(), 1u);
    const auto& norm = std::get<op::LayerNorm>(whole.nodes[0].operation);
    EXPECT_EQ(norm.axis, 2);
    EXPECT_FLOAT_EQ(norm.epsilon, 0.001f);
    EXPECT_EQ(norm.scale.data, (std::vector<float>{1, 2, 3, 4}));
    EXPECT_EQ(norm.shift.data, (std::vector<float>{1, 2, 3, 4}));
}

TEST(OnnxPatterns, a_layer_norm_scaled_twice_keeps_both_scales) {
    const Graph g =
        parsed(model_text(layer_norm_core() + floats("a", {4}) + floats("b", {4}) + floats("c", {4}) +
                          node("Mul", "q a", "p") + node("Mul", "p b", "o") + node("Add", "o c", "y")));
    ASSERT_EQ(g.nodes.size(), 1u);
    const auto& norm = std::get<op::LayerNorm>(g.nodes[0].operation);
    EXPECT_EQ(norm.scale.data, (std::vector<float>{1, 4, 9, 16}));
    EXPECT_EQ(norm.shift.data, (std::vector<float>{1, 2, 3, 4}));
}

TEST(OnnxPatterns, a_constant_of_more_axes_than_the_value_stays_an_operation_of_its_own) {
    OnnxOptions as_it_stands;
    as_it_stands.any_batch = false;
    const std::string head =
        "ir_version: 8 opset_import { version: 20 } graph { name: 'g' output { name: 'y' } "
        "input { name: 'x' type { tensor_type { elem_type: 1 shape { dim { dim_value: 3 } "
        "dim { dim_value: 4 } } } } } ";
    const Shape wide{{1, 3, 4}, false};
    const Graph biased = parse_onnx(bytes_of(head + floats("w", {4, 4}) + floats("b", {1, 1, 4}) +
                                             node("MatMul", "x w", "a") + node("Add", "a b", "y") + "}"),
                                    "test.onnx", ".", as_it_stands);
    validate(biased);
    EXPECT_EQ(biased.nodes.size(), 2u);
    EXPECT_EQ(biased.values[static_cast<size_t>(biased.outputs[0])].shape, wide);
    const Graph scaled = parse_onnx(
        bytes_of(head + layer_norm_core() + floats("w", {1, 1, 4}) + node("Mul", "q w", "y") + "}"),
        "test.onnx", ".", as_it_stands);
    validate(scaled);
    EXPECT_EQ(scaled.nodes.size(), 2u);
    EXPECT_EQ(scaled.values[static_cast<size_t>(scaled.outputs[0])].shape, wide);
}

TEST(OnnxReader, chains_that_compute_shapes_fold) {
    // Reshape to (Shape[0], 12) by way of Gather, Unsqueeze, Concat and Cast: what the script exporter
    // writes.
    const Graph g = parsed(model_text(
        integers("zero", {0}, true) + integers("first", {0}) + integers("rest", {12}) +
        node("Shape", "x", "s") + node("Gather", "s zero", "n") + node("Unsqueeze", "n first", "u") +
        node("Concat", "u rest", "c", "attribute { name: 'axis' i: 0 type: INT }") +
        node("Cast", "c", "i", "attribute { name: 'to' i: 7 type: INT }") + node("Reshape", "x i", "y")));
    ASSERT_EQ(g.nodes.size(), 1u);
    EXPECT_EQ(g.values[static_cast<size_t>(g.outputs[0])].shape, (Shape{{1, 12}, true}));
}

TEST(OnnxReader, constants_of_every_type_are_read) {
    // 3 of each type, as Clip's upper bound after a cast.
    const std::vector<std::pair<int, std::string>> threes{
        {1, "float_data: 3"},
        {11, "double_data: 3"},
        {10, "int32_data: 16896"},
        {16, "int32_data: 16448"},
        {7, "int64_data: 3"},
        {6, "int32_data: 3"},
        {5, "int32_data: 3"},
        {3, "int32_data: 3"},
        {13, "uint64_data: 3"},
        {12, "uint64_data: 3"},
        {4, "int32_data: 3"},
        {2, "int32_data: 3"},
        {1, "raw_data: '\\000\\000\\100\\100'"},
        {11, "raw_data: '\\000\\000\\000\\000\\000\\000\\010\\100'"},
        {10, "raw_data: '\\000\\102'"},
        {16, "raw_data: '\\100\\100'"},
        {7, "raw_data: '\\003\\000\\000\\000\\000\\000\\000\\000'"},
        {6, "raw_data: '\\003\\000\\000\\000'"},
        {5, "raw_data: '\\003\\000'"},
        {3, "raw_data: '\\003'"},
        {13, "raw_data: '\\003\\000\\000\\000\\000\\000\\000\\000'"},
        {12, "raw_data: '\\003\\000\\000\\000'"},
        {4, "raw_data: '\\003\\000'"},
        {2, "raw_data: '\\003'"}};
    for (const auto& [type, data] : threes) {
        SCOPED_TRACE(std::to_string(type) + " " + data);
        const Graph g = parsed(model_text(
            "initializer { name: 'h' data_type: " + std::to_string(type) + " " + data + " } " +
            node("Cast", "h", "f", "attribute { name: 'to' i: 1 type: INT }") + node("Clip", "x  f", "y")));
        EXPECT_EQ(std::get<op::Activate>(g.nodes.at(0).operation).activation.beta, 3.0f);
    }
}

TEST(OnnxReader, what_no_output_needs_is_not_built) {
    const Graph g =
        parsed(model_text(integers("s", {1000000, 1000000}) + node("ConstantOfShape", "s", "c") +
                          node("Add", "x c", "d") + node("LSTM", "x", "l") + node("Relu", "x", "y")));
    EXPECT_EQ(g.nodes.size(), 1u);
    EXPECT_EQ(g.values.size(), 2u);
}

TEST(OnnxReader, numbers_for_the_batch_mean_the_batch_that_the_file_bakes_in) {
    const std::string slice =
        integers("b", {0}) + integers("e", {3}) + integers("a", {0}) + node("Slice", "x b e a", "y");
    const std::string gather = integers("i", {0}) + node("Gather", "x i", "y");
    const std::string two_rows = integers("s", {2, -1}) + node("Reshape", "x s", "y");
    const std::string one_row = integers("s", {1, -1}) + node("Reshape", "x s", "y");
    const std::string expand = integers("s", {2, 4, 6}) + node("Expand", "x s", "y");
    const auto shape = [](const std::string& batch, const std::string& rest) {
        const Graph g = parsed(model_of({{batch, "6"}}, rest));
        return g.values[static_cast<size_t>(g.outputs[0])].shape;
    };
    // Of a batch of any size they pick images or mix them.
    for (const std::string& rest : {slice, gather, two_rows, one_row, expand})
        EXPECT_THROW(parsed(model_of({{"n", "6"}}, rest)), InputError) << rest;
    // Of the batch that the file was exported with they mean all of it: PyTorch's exporters write so.
    EXPECT_EQ(shape("1", slice), (Shape{{1, 6}, true}));
    EXPECT_EQ(shape("3", slice), (Shape{{1, 6}, true}));
    EXPECT_EQ(shape("1", gather), (Shape{{1, 6}, true}));
    EXPECT_EQ(shape("1", two_rows), (Shape{{2, 3}, true}));
    EXPECT_EQ(shape("2", two_rows), (Shape{{1, 6}, true}));
    EXPECT_EQ(shape("1", one_row), (Shape{{1, 6}, true}));
    EXPECT_THROW(shape("4", slice), InputError);
    EXPECT_THROW(shape("4", gather), InputError);
    EXPECT_THROW(shape("3", two_rows), InputError);
    EXPECT_THROW(shape("2", one_row), InputError);
    // What holds for any batch stays.
    EXPECT_EQ(shape("n", integers("b", {0}) + integers("e", {2147483647}) + node("Slice", "x b e", "y")),
              (Shape{{1, 6}, true}));
    EXPECT_EQ(shape("n", integers("b", {0}) + integers("z", {0}) + node("Shape", "x", "s") +
                             node("Gather", "s z", "e") + node("Slice", "x b e z", "y")),
              (Shape{{1, 6}, true}));
    EXPECT_EQ(shape("n", integers("s", {-1, 3}) + node("Reshape", "x s", "y")), (Shape{{2, 3}, true}));
    EXPECT_EQ(shape("n", integers("s", {1, 6}) + node("Expand", "x s", "y")), (Shape{{1, 6}, true}));
    // As many elements of an image as there are images.
    EXPECT_THROW(
        shape("n", integers("b", {0}) + integers("z", {0}) + integers("a", {1}) + node("Shape", "x", "s") +
                       node("Gather", "s z", "e") + node("Slice", "x b e a", "y")),
        InputError);
}

TEST(OnnxReader, the_batch_of_several_inputs_does_not_depend_on_their_order) {
    const std::string rest = integers("s", {4, 6}) + node("Reshape", "x s", "r") +
                             node("Concat", "r x1", "y", "attribute { name: 'axis' i: 1 type: INT } ");
    const std::string turned = integers("s", {4, 6}) + node("Reshape", "x1 s", "r") +
                               node("Concat", "r x", "y", "attribute { name: 'axis' i: 1 type: INT } ");
    const std::vector<std::string> baked{"4", "2", "3"}, symbolic{"n", "3"};
    for (const Graph& g :
         {parsed(model_of({baked, symbolic}, rest)), parsed(model_of({symbolic, baked}, turned))})
        EXPECT_EQ(g.values[static_cast<size_t>(g.outputs[0])].shape, (Shape{{1, 9}, true}));
    for (const auto& [first, second] : {std::pair{"4", "2"}, std::pair{"2", "4"}}) {
        try {
            parsed(model_of({{first, "3"}, {second, "3"}}, node("Add", "x x1", "y")));
            ADD_FAILURE() << first << " " << second;
        } catch (const InputError& error) {
            EXPECT_THAT(error.what(), HasSubstr("input 'x1' states a batch of"));
        }
    }
}

TEST(OnnxReader, empty_products_are_refused_in_fixed_shapes_too) {
    OnnxOptions as_it_stands;
    as_it_stands.any_batch = false;
    const auto message = [&](const std::string& rest) -> std::string {
        try {
            parse_onnx(bytes_of(model_of({{"3", "4"}}, rest)), "test.onnx", ".", as_it_stands);
        } catch (const InputError& error) {
            return error.what();
        }
        return "was read";
    };
    EXPECT_EQ(message(floats("w", {4, 0}) + node("MatMul", "x w", "y")),
              "test.onnx: node 'MatMul_y' (MatMul): the right operand 'w' of 4 x 0 is empty");
    EXPECT_EQ(message(floats("w", {0, 2}) + integers("b", {2}) + integers("a", {1}) +
                      node("Slice", "x b b a", "s") + node("MatMul", "s w", "y")),
              "test.onnx: node 'MatMul_y' (MatMul): the right operand 'w' of 0 x 2 is empty");
    EXPECT_EQ(message(floats("w", {4, 2}) + integers("b", {2}) + integers("a", {0}) +
                      node("Slice", "x b b a", "s") + node("MatMul", "s w", "y")),
              "test.onnx: node 'MatMul_y' (MatMul): the product of 0 x 4 with the weight 2 x 4 is empty");
    EXPECT_THROW(infer_shape(op::Linear{Tensor{{2, 0}, {}}, {}}, {{{3, 0}, false}}), InputError);
}

TEST(OnnxReader, a_symbolic_batch_is_told_from_what_else_is_wrong) {
    OnnxOptions as_it_stands;
    as_it_stands.any_batch = false;
    EXPECT_THROW(parse_onnx(bytes_of(model_text(node("Relu", "x", "y"))), "test.onnx", ".", as_it_stands),
                 SymbolicExtent);
}

TEST(OnnxReader, nodes_of_one_name_get_names_of_their_own) {
    const auto named = [](const std::string& text, const std::string& from, const std::string& to) {
        std::string renamed = text;
        return renamed.replace(renamed.find("'" + from + "'"), from.size() + 2, "'" + to + "'");
    };
    // Three nodes n, and one that has the name of a part of another: LayerNormalization's mean.
    const std::string twice = named(node("Relu", "x", "a"), "Relu_a", "n") +
                              named(node("Relu", "a", "b"), "Relu_b", "n_2") +
                              named(node("Tanh", "b", "c"), "Tanh_c", "n") + node("Tanh", "c", "n:mean") +
                              named(
                                  "node { op_type: 'LayerNormalization' name: 'l' input: 'n:mean' input: 's' "
                                  "output: 'd' output: 'e' } ",
                                  "l", "n") +
                              named(node("Relu", "d", "g"), "Relu_g", "n:mean") + node("Add", "g e", "y");
    const Graph g = parsed(model_text(floats("s", {4}) + twice));
    validate(g);
    std::set<std::string> values;
    for (const Value& value : g.values) EXPECT_TRUE(values.insert(value.name).second) << value.name;
    EXPECT_EQ(g.nodes[0].name, "n");
    EXPECT_EQ(g.nodes[1].name, "n_2");
    EXPECT_EQ(g.nodes[2].name, "n_3");
    expect_round_trip(g, "node_names");
}

TEST(OnnxReader, infinite_bounds_and_masks_are_numbers) {
    const std::string inf = "initializer { name: 'i' data_type: 1 float_data: inf } ";
    EXPECT_EQ(parsed(model_text(inf + node("Clip", "x  i", "y"))).nodes.size(), 1u);
    EXPECT_EQ(parsed(model_text(inf + node("Sub", "x i", "y"))).nodes.size(), 1u);
}

TEST(OnnxReader, external_data_is_read_and_checked) {
    const fs::path file = scratch("weights.bin");
    const float values[] = {9, 0.5f, 2.5f};
    std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(values), sizeof values);
    const auto read_from = [&](const std::string& entries) {
        std::string text = "initializer { name: 'h' data_type: 1 data_location: EXTERNAL ";
        return parse_onnx(bytes_of(model_text(text + entries + " } " + node("Clip", "x  h", "y"))),
                          "test.onnx", file.parent_path());
    };
    const auto entry = [](const std::string& key, const std::string& value) {
        return "external_data { key: '" + key + "' value: '" + value + "' } ";
    };
    const Graph g = read_from(entry("location", "weights.bin") + entry("offset", "8") + entry("length", "4"));
    EXPECT_EQ(std::get<op::Activate>(g.nodes.at(0).operation).activation.beta, 2.5f);
    const std::vector<std::pair<std::string, std::string>> wrong{
        {entry("location", "../weights.bin"), "no file beside the model"},
        {entry("location", "missing.bin"), "is not there"},
        {entry("location", "weights.bin") + entry("offset", "12"), "is it cut off"},
        {entry("location", "weights.bin") + entry("offset", "x"), "expected a number"},
        {entry("location", "weights.bin") + entry("length", "7"), "its dims ask for 4"}};
    for (const auto& [entries, message] : wrong) {
        try {
            read_from(entries);
            ADD_FAILURE() << entries;
        } catch (const InputError& error) {
            EXPECT_THAT(error.what(), HasSubstr(message));
        }
    }
}

struct BadModel {
    const char* name;
    std::string text;
    const char* message;
};

std::vector<BadModel> bad_models() {
    const std::string relu = node("Relu", "x", "y");
    const auto attribute = [](const std::string& name, const std::string& rest) {
        return "attribute { name: '" + name + "' " + rest + " } ";
    };
    return {
        {"old opset", "ir_version: 3 opset_import { version: 8 } graph { name: 'g' }",
         "its operator set is 8"},
        {"no opset", "ir_version: 3 graph { name: 'g' }", "names no operator set"},
        {"no input", "opset_import { version: 20 } graph { output { name: 'y' } }", "has no inputs"},
        {"no output",
         "opset_import { version: 20 } graph { input { name: 'x' type { tensor_type { elem_type: 1 shape { "
         "dim { dim_value: 1 } } } } } }",
         "has no outputs"},
        {"unknown operator", model_text(node("LSTM", "x", "y")),
         "node 'LSTM_y' (LSTM): operator LSTM is not supported; supported are Add"},
        {"foreign domain",
         model_text("node { op_type: 'Relu' domain: 'com.example' input: 'x' output: 'y' } "),
         "com.example.Relu is not supported"},
        {"unknown attribute", model_text(node("Relu", "x", "y", attribute("slope", "f: 1 type: FLOAT"))),
         "attribute 'slope' is not supported"},
        {"wrong attribute type",
         model_text(node("LeakyRelu", "x", "y", attribute("alpha", "i: 1 type: INT"))), "alpha"},
        {"attribute of a function",
         model_text("node { op_type: 'LeakyRelu' input: 'x' output: 'y' attribute { name: 'alpha' "
                    "ref_attr_name: 'slope' type: FLOAT } } "),
         "attribute 'alpha' refers to one of a function's caller"},
        {"dropout without a mode",
         model_text("initializer { name: 't' data_type: 9 dims: 0 } " + scalar("r", 0.5f) +
                    node("Dropout", "x r t", "y")),
         "node 'Dropout_y' (Dropout): the input training_mode 't' has 0 elements; expected one"},
        {"power of nothing",
         model_text("initializer { name: 'p' data_type: 1 dims: 0 } " + node("Pow", "x p", "y")),
         "node 'Pow_y' (Pow): the exponent 'p' has 0 elements; expected one"},
        {"power that adds axes", model_text(floats("p", {1, 1, 1, 1}) + node("Pow", "x p", "y")), "(Pow)"},
        {"clip to nothing",
         model_text("initializer { name: 'p' data_type: 1 dims: 0 } " + node("Clip", "x p", "y")),
         "node 'Clip_y' (Clip): the lower bound 'p' has 0 elements; expected one"},
        {"clip to no number",
         model_text("initializer { name: 'p' data_type: 1 float_data: nan } " + node("Clip", "x p", "y")),
         "the lower bound 'p' is not a number"},
        {"slope that is no number",
         model_text(node("LeakyRelu", "x", "y", attribute("alpha", "f: nan type: FLOAT"))),
         "attribute 'alpha' is not a number"},
        {"weight that is no number",
         model_text("initializer { name: 'w' data_type: 1 dims: 4 dims: 1 float_data: [1, nan, 2, 3] } " +
                    node("MatMul", "x w", "y")),
         "node 'MatMul_y' (MatMul): the right operand 'w' holds elements that are infinite or not a number"},
        {"infinite weight",
         model_text("initializer { name: 'w' data_type: 1 dims: 4 dims: 1 float_data: [1, inf, 2, 3] } " +
                    node("MatMul", "x w", "y")),
         "node 'MatMul_y' (MatMul): the right operand 'w' holds elements that are infinite or not a number"},
        {"addend that is no number",
         model_text("initializer { name: 'b' data_type: 1 float_data: nan } " + node("Add", "x b", "y")),
         "node 'Add_y' (Add): the constant 'b' holds elements that are not a number"},
        {"variance below zero",
         model_text(floats("p", {3}) +
                    "initializer { name: 'v' data_type: 1 dims: 3 float_data: [1, -1, 1] } " +
                    node("BatchNormalization", "x p p p v", "y")),
         "node 'BatchNormalization_y' (BatchNormalization): the variance -1"},
        {"string constant",
         model_text(node("Constant", "", "c", attribute("value_string", "s: 'a' type: STRING")) +
                    node("Add", "x c", "y")),
         "attribute 'value_string' is not supported"},
        {"an addend of more axes than the product",
         model_of({{"n", "4"}}, floats("w", {4, 2}) + floats("c", {1, 1, 2}) + node("Gemm", "x w c", "y")),
         "node 'Gemm_y' (Gemm): input C of 1 x 1 x 2 does not broadcast to the product"},
        {"empty bias", model_text(floats("w", {2, 3, 1}) + floats("b", {0}) + node("Conv", "x w b", "y")),
         "node 'Conv_y' (Conv): the bias 'b' of 0 is empty"},
        {"sparse constant",
         model_text(
             node("Constant", "", "c", attribute("sparse_value", "sparse_tensor { } type: SPARSE_TENSOR")) +
             node("Add", "x c", "y")),
         "attribute 'sparse_value' is not supported"},
        {"sparse initialiser", model_text("sparse_initializer { values { name: 'w' } } " + relu),
         "initializer 'w' is sparse, which is not supported"},
        {"no element type", model_text("initializer { name: 'a' data_type: 77 } " + relu),
         "initializer 'a': the element type 77 is not supported"},
        {"unknown input", model_text(node("Relu", "z", "y")), "input 'z' is neither"},
        {"missing input", model_text(node("Add", "x", "y")), "input 1 is missing"},
        {"output of no node", model_text(node("Relu", "x", "z")), "output 'y' is the output of no node"},
        {"two of one name", model_text(node("Relu", "x", "x") + relu), "has the name of another value"},
        {"two inputs of one name", model_text("input { name: 'x' } " + relu), "two inputs have the name 'x'"},
        {"two initialisers", model_text(scalar("a", 1) + scalar("a", 2) + relu),
         "two initializers have the name 'a'"},
        {"elements missing",
         model_text("initializer { name: 'a' data_type: 1 dims: 3 float_data: 1 } " + relu),
         "holds 1 elements, its dims ask for 3"},
        {"raw bytes missing",
         model_text("initializer { name: 'a' data_type: 1 dims: 3 raw_data: 'abcd' } " + relu),
         "raw_data has 4 bytes, its dims ask for 12"},
        {"negative extent", model_text("initializer { name: 'a' data_type: 1 dims: -3 } " + relu),
         "extent -3 is negative"},
        {"huge",
         model_text("initializer { name: 'a' data_type: 1 dims: 4000000000 dims: 4000000000 } " + relu),
         "2^31"},
        {"strings", model_text("initializer { name: 'a' data_type: 8 string_data: 'a' } " + relu),
         "STRING is not supported"},
        {"segment", model_text("initializer { name: 'a' data_type: 1 segment { begin: 0 } } " + relu),
         "segments"},
        {"shapes that do not fit", model_text(floats("b", {5}) + node("Add", "x b", "y")), "(Add)"},
        {"weights of another width", model_text(floats("w", {5, 2}) + node("MatMul", "x w", "y")),
         "(MatMul)"},
        {"product of two values", model_text(node("MatMul", "x x", "y")), "multiplies two computed values"},
        {"axis out of range", model_text(node("Softmax", "x", "y", attribute("axis", "i: 5 type: INT"))),
         "axis 5 of a value that has 3 axes"},
        {"mix of images", model_text(integers("axes", {0}) + node("ReduceMean", "x axes", "y")), "batch"},
        {"training",
         model_text(floats("p", {3}) + node("BatchNormalization", "x p p p p", "y",
                                            attribute("training_mode", "i: 1 type: INT"))),
         "evaluation mode"},
        {"integer division by zero",
         model_text(integers("a", {6}) + integers("b", {0}) + node("Div", "a b", "c") +
                    node("Reshape", "x c", "y")),
         "by zero"},
        {"folding without end",
         model_text(integers("s", {1000000, 1000000}) + node("ConstantOfShape", "s", "c") +
                    node("Add", "x c", "y")),
         "(ConstantOfShape)"},
        {"one constant, copied by many nodes",
         [] {
             std::string nodes;
             for (int i = 0; i < 40; ++i)
                 nodes += node("MatMul", "x w", fmt::format("a{}", i)) +
                          node("ReduceMean", fmt::format("a{} last", i), fmt::format("m{}", i));
             std::string sum = node("Add", "m0 m1", "s1");
             for (int i = 2; i < 40; ++i)
                 sum += node("Add", fmt::format("s{} m{}", i - 1, i), i == 39 ? "y" : fmt::format("s{}", i));
             return model_text(integers("dims", {4, 1000000}) + integers("last", {2}) +
                               node("ConstantOfShape", "dims", "w") + nodes + sum);
         }(),
         "(MatMul): it takes 4000000 elements of constants"},
        {"a constant cast again and again",
         [] {
             std::string casts;
             for (int i = 0; i < 40; ++i)
                 casts += node("Cast", fmt::format("w{}", i), fmt::format("w{}", i + 1),
                               "attribute { name: 'to' i: 1 type: INT } ");
             return model_text(integers("dims", {4, 1000000}) + node("ConstantOfShape", "dims", "w0") +
                               casts + node("MatMul", "x w40", "y"));
         }(),
         "(Cast): it takes 4000000 elements of constants"},
        {"padding without end",
         model_text(integers("p", {0, 0, 0, 0, 0, int64_t{1} << 36}) +
                    integers("c", {0, 0, 0, 0, 0, -(int64_t{1} << 36)}) + node("Pad", "x p", "a") +
                    node("Pad", "a c", "y")),
         "node 'Pad_a' (Pad): padding of 0 and 68719476736 around an axis of 4 makes more than 2^31 "
         "elements"},
        {"padding to more than an image may have",
         model_text(integers("p", {0, 0, 0, 0, 0, int64_t{1} << 30}) + node("Pad", "x p", "y")),
         "node 'Pad_y' (Pad): the shape n * 1 x 3 x 1073741828 has more than 2^31 elements an image"},
        {"concatenation that doubles without end",
         [] {
             std::string joins;
             for (int i = 0; i < 36; ++i)
                 joins += node("Concat", i == 0 ? "x x" : fmt::format("c{0} c{0}", i),
                               i == 35 ? "y" : fmt::format("c{}", i + 1),
                               "attribute { name: 'axis' i: 2 type: INT } ");
             return model_text(joins);
         }(),
         "has more than 2^31 elements an image"},
        {"an unavailable output",
         model_text("node { op_type: 'MaxPool' input: 'x' output: 'a' output: 'y' attribute { name: "
                    "'kernel_shape' ints: 1 type: INTS } } "),
         "which mho does not compute"},
        {"constant output",
         model_text("initializer { name: 'y' data_type: 1 float_data: 1 } " + node("Relu", "x", "z")),
         "output 'y' is a constant"},
        {"reshape to another size", model_text(integers("s", {0, 5}) + node("Reshape", "x s", "y")),
         "another number of elements"},
        {"power", model_text(scalar("p", 2.5f) + node("Pow", "x p", "y")), "exponent"},
        {"gelu of another kind",
         model_text(node("Gelu", "x", "y", attribute("approximate", "s: 'sloppy' type: STRING"))), "sloppy"},
    };
}

TEST(OnnxReader, malformed_models_are_refused_by_what_is_wrong) {
    for (const BadModel& bad : bad_models()) {
        SCOPED_TRACE(bad.name);
        try {
            parsed(bad.text);
            ADD_FAILURE() << "was read";
        } catch (const InputError& error) {
            EXPECT_THAT(error.what(), HasSubstr(bad.message));
            EXPECT_THAT(error.what(), HasSubstr("test.onnx"));
        }
    }
}

TEST(OnnxReader, a_file_cut_off_anywhere_is_refused) {
    std::ifstream stream(find_model("digits_cnn"), std::ios::binary);
    const std::string whole((std::istreambuf_iterator<char>(stream)), {});
    for (size_t length = 0; length < whole.size(); length += whole.size() / 97)
        EXPECT_THROW(parse_onnx(whole.substr(0, length), "cut.onnx", "."), InputError) << length;
}

}  // namespace
}  // namespace mho
