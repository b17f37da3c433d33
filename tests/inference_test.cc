// Which reading of a file takes the arrays that a user gives, and why neither does.
#include "host/run/inference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "kernels/base/error.h"
#include "tests/temporary_directory.h"

namespace mho {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ReadNetworkFor : public ::testing::Test {
  protected:
    /// x of `batch` (0: symbolic) rows of 2, transposed where asked, then `operation`.
    fs::path network(int64_t batch, bool transpose, const char* operation) const {
        onnx::ModelProto model;
        model.set_ir_version(9);
        model.add_opset_import()->set_version(20);
        onnx::GraphProto& graph = *model.mutable_graph();
        onnx::ValueInfoProto& x = *graph.add_input();
        x.set_name("x");
        auto& type = *x.mutable_type()->mutable_tensor_type();
        type.set_elem_type(onnx::TensorProto::FLOAT);
        onnx::TensorShapeProto::Dimension& rows = *type.mutable_shape()->add_dim();
        batch > 0 ? rows.set_dim_value(batch) : rows.set_dim_param("n");
        type.mutable_shape()->add_dim()->set_dim_value(2);
        if (transpose) add_node(graph, "Transpose", "x", "t");
        add_node(graph, operation, transpose ? "t" : "x", "y");
        graph.add_output()->set_name("y");
        const fs::path file = folder_ / "network.onnx";
        std::ofstream stream(file, std::ios::binary);
        model.SerializeToOstream(&stream);
        return file;
    }
    static void add_node(onnx::GraphProto& graph, const std::string& operation, const std::string& from,
                         const std::string& to) {
        onnx::NodeProto& node = *graph.add_node();
        node.set_op_type(operation);
        node.add_input(from);
        node.add_output(to);
    }

    static std::string message(const fs::path& file, const std::vector<int64_t>& dims) {
        int64_t size = 1;
        for (int64_t d : dims) size *= d;
        try {
            read_network_for(file, {Tensor{dims, std::vector<float>(static_cast<size_t>(size))}});
        } catch (const InputError& error) {
            return error.what();
        }
        return "was read";
    }

    const TemporaryDirectory made_;
    const fs::path& folder_ = made_.path();
};

TEST_F(ReadNetworkFor, the_reason_shown_is_the_one_that_matters) {
    // Read as it stands it would do, but for one operator: not that it takes no other batch.
    EXPECT_THAT(message(network(6, true, "Elu"), {6, 2}), HasSubstr("operator Elu is not supported"));
    // It takes what the file states alone.
    EXPECT_EQ(message(network(6, true, "Relu"), {6, 2}), "was read");
    EXPECT_THAT(message(network(6, true, "Relu"), {6, 3}),
                HasSubstr("input \"x\" has shape [6, 3], the network takes [6, 2]"));
    // It takes any batch.
    EXPECT_EQ(message(network(6, false, "Relu"), {5, 2}), "was read");
    EXPECT_THAT(message(network(6, false, "Relu"), {6, 3}), HasSubstr("the network takes [batch x 1, 2]"));
    // A symbolic batch can be read one way only.
    EXPECT_THAT(message(network(0, true, "Relu"), {6, 2}), HasSubstr("moves axis 0, the batch"));
    EXPECT_THAT(message(network(0, false, "Elu"), {6, 2}), HasSubstr("operator Elu is not supported"));
    EXPECT_THAT(message(network(0, false, "Relu"), {6, 3}), HasSubstr("the network takes [batch x 1, 2]"));
}

}  // namespace
}  // namespace mho
