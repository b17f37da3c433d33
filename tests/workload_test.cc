// What a config tries chips on: images laid out as the network takes them, and mistakes named by their key.
#include "host/run/workload.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "host/chip/lowering.h"
#include "host/run/inference.h"
#include "kernels/base/error.h"
#include "models/onnx/onnx.h"
#include "tests/graph_builder.h"
#include "tests/temporary_directory.h"

namespace mho {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::GraphBuilder;
using ::testing::HasSubstr;

constexpr int64_t kImages = 5, kChannels = 3, kHeight = 4, kWidth = 2;

/// A folder with an idx set of kImages images in each split, labels 0, 1, 2, 0, 1, and with networks.
class WorkloadTest : public ::testing::Test {
  protected:
    void SetUp() override {
        for (const char* split : {"test", "train"}) {
            std::string pixels = header({kImages, kChannels, kHeight, kWidth});
            for (int i = 0; i < kImages * kChannels * kHeight * kWidth; ++i) pixels += static_cast<char>(i);
            std::string labels = header({kImages});
            for (int i = 0; i < kImages; ++i) labels += static_cast<char>(i % 3);
            write(fmt::format("{}-images-idx4-ubyte", split), pixels);
            write(fmt::format("{}-labels-idx1-ubyte", split), labels);
        }
    }

    static std::string header(const std::vector<int64_t>& extents) {
        std::string bytes{0, 0, 8, static_cast<char>(extents.size())};
        for (int64_t extent : extents) bytes += std::string{0, 0, 0, static_cast<char>(extent)};
        return bytes;
    }
    void write(const std::string& name, const std::string& bytes) const {
        std::ofstream(folder_ / name, std::ios::binary) << bytes;
    }

    /// A network that takes images of `dims` and tells `classes` apart.
    static Graph network(const std::vector<int64_t>& dims, int64_t classes) {
        GraphBuilder b(1);
        int64_t size = 1;
        for (int64_t d : dims) size *= d;
        const ValueId x = b.input(dims);
        b.output(b.linear(dims.size() == 2 ? x : b.reshape(x, {1, size}), classes));
        return b.graph;
    }
    Config config(const Graph& network) const {
        write_onnx(network, folder_ / "network.onnx");
        Config c;
        c.model.file = (folder_ / "network.onnx").string();
        c.data.name = "idx";
        c.data.directory = folder_.string();
        c.data.full_scale = 1;
        c.data.calibration_images = kImages;
        return c;
    }

    /// Pixel (c, h, w) of image i: they are numbered as they lie in the file, modulo 256.
    static float pixel(int64_t i, int64_t c, int64_t h, int64_t w) {
        return static_cast<float>((((i * kChannels + c) * kHeight + h) * kWidth + w) % 256);
    }

    std::vector<float> outputs(const Graph& graph, const ImageStore& store) const {
        const auto program = devices_[0]->load(lower_digital(number_nodes(graph)));
        const auto chip = program->make_chip();
        program->program(*chip, {0, 0, true}, {});
        const auto stream = program->make_stream(kImages);
        stream->load(store, 0, kImages);
        stream->run(*chip, 0, static_cast<int>(program->plan().steps.size()));
        const TensorId output = program->plan().outputs[0];
        std::vector<float> values(static_cast<size_t>(program->plan().elements(output, kImages)));
        stream->read(output, values);
        return values;
    }

    /// Both splits enter a network of `dims` as `images` have them.
    void expect_enters(const std::vector<int64_t>& dims, const std::vector<float>& images) const {
        const Graph graph = network(dims, 3);
        const Config c = config(graph);
        Workload workload(devices_, c);
        Tensor input{dims, images};
        input.dims[0] = kImages;
        const std::vector<float> want = infer(*devices_[0], graph, {input})[0].data;
        EXPECT_EQ(outputs(graph, workload.test_images()), want);
        workload.read_calibration_images();
        EXPECT_EQ(outputs(graph, workload.calibration_run(1).images), want);
    }

    std::string message_of(const std::function<void()>& run) const {
        try {
            run();
        } catch (const InputError& error) {
            return error.what();
        }
        ADD_FAILURE() << "no InputError";
        return "";
    }

    const TemporaryDirectory made_;
    const fs::path& folder_ = made_.path();
    const Devices devices_ = open_devices("cpu");
};

TEST_F(WorkloadTest, images_enter_channels_first_channels_last_or_flat) {
    std::vector<float> first, last;
    for (int64_t i = 0; i < kImages; ++i)
        for (int64_t c = 0; c < kChannels; ++c)
            for (int64_t h = 0; h < kHeight; ++h)
                for (int64_t w = 0; w < kWidth; ++w) first.push_back(pixel(i, c, h, w));
    for (int64_t i = 0; i < kImages; ++i)
        for (int64_t h = 0; h < kHeight; ++h)
            for (int64_t w = 0; w < kWidth; ++w)
                for (int64_t c = 0; c < kChannels; ++c) last.push_back(pixel(i, c, h, w));
    expect_enters({1, kChannels, kHeight, kWidth}, first);
    expect_enters({1, kHeight, kWidth, kChannels}, last);
    expect_enters({1, kChannels * kHeight * kWidth}, first);
    EXPECT_THAT(message_of([&] {
                    const Config c = config(network({1, kWidth, kHeight, kChannels}, 3));
                    Workload(devices_, c);
                }),
                HasSubstr("takes images of [2 x 4 x 3], idx has [3 x 4 x 2]"));
}

TEST_F(WorkloadTest, images_of_as_many_channels_as_rows_and_columns_enter_channels_first) {
    write("test-images-idx4-ubyte", header({2, 3, 3, 3}) + std::string(54, 7));
    write("test-labels-idx1-ubyte", header({2}) + std::string{0, 2});
    std::string pixels = header({2, 3, 3, 3});
    std::vector<float> images;
    for (int i = 0; i < 54; ++i) pixels += static_cast<char>(i), images.push_back(static_cast<float>(i));
    write("test-images-idx4-ubyte", pixels);
    const Graph graph = network({1, 3, 3, 3}, 3);
    const Config c = config(graph);
    const Workload workload(devices_, c);
    const auto program = devices_[0]->load(lower_digital(number_nodes(graph)));
    const auto stream = program->make_stream(2);
    stream->load(workload.test_images(), 0, 2);
    std::vector<float> entered(54);
    stream->read(program->plan().inputs[0], entered);
    EXPECT_EQ(entered, images);
}

TEST_F(WorkloadTest, one_channel_needs_no_axis) {
    Config c = config(network({1, 8, 8}, 10));
    c.data = {};
    EXPECT_EQ(Workload(devices_, c).test_count(), 500);
    write_onnx(network({1, 8, 8, 1}, 10), c.model.file);
    EXPECT_EQ(Workload(devices_, c).test_count(), 500);
}

TEST_F(WorkloadTest, labels_of_idx_need_not_show_every_class) {
    const std::vector<int64_t> dims{1, kChannels, kHeight, kWidth};
    const Config more = config(network(dims, 7));
    EXPECT_EQ(Workload(devices_, more).test_count(), kImages);
    const Config fewer = config(network(dims, 2));
    EXPECT_THAT(message_of([&] { Workload(devices_, fewer); }),
                HasSubstr("tells 2 classes apart, idx has 3"));
    Config digits = config(network({1, 1, 8, 8}, 11));  // these are known to be ten
    digits.data = {};
    EXPECT_THAT(message_of([&] { Workload(devices_, digits); }),
                HasSubstr("tells 11 classes apart, digits has 10"));
}

TEST_F(WorkloadTest, too_many_images_are_named_by_the_key_that_asks_for_them) {
    const Config good = config(network({1, kChannels, kHeight, kWidth}, 3));
    const auto says = [](const std::string& key, const std::string& split) {
        return AllOf(HasSubstr(key + ": 6 images were asked for"),
                     HasSubstr("the " + split + " split of idx"), HasSubstr("holds 5"));
    };
    Config images = good;
    images.data.images = 6;
    EXPECT_THAT(message_of([&] { Workload(devices_, images); }), says("data.images", "test"));
    Config each = good;
    each.monte_carlo.images_per_chip = 6;
    EXPECT_THAT(message_of([&] { Workload(devices_, each); }), says("monte_carlo.images_per_chip", "test"));
    each.data.images = 3;  // the smaller one counts
    EXPECT_EQ(Workload(devices_, each).test_count(), 3);
    Config calibration = good;
    calibration.data.calibration_images = 6;
    Workload workload(devices_, calibration);
    EXPECT_THAT(message_of([&] { workload.read_calibration_images(); }),
                says("data.calibration_images", "train"));
}

}  // namespace
}  // namespace mho
