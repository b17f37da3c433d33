// bench/cuda/fused_bench.cc - the fused crossbar kernel against the unfused way (unfused_layer.h), one chip
// of one layer at a time, on the GPU. Both give the same joined codes where there is no programming error,
// which is checked before anything is timed. Goal: 5 times the unfused rate. Needs a GPU: exits with 2 where
// there is none.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <functional>
#include <random>
#include <vector>

#include "bench/cuda/unfused_layer.h"
#include "bench/timing.h"
#include "host/chip/lowering.h"
#include "host/run/calibration.h"
#include "host/run/cuda_plugin.h"
#include "models/graph.h"

namespace mho::bench {
namespace {

constexpr double kGoal = 5;
constexpr float kSigma = 0.05f;  // of g_max
/// Input vectors, rows, columns. bench/gpu_model reads them here, for the bounds of the same layers.
constexpr std::array<int64_t, 3> kLayers[] = {
    {8192, 144, 16}, {8192, 576, 64}, {4096, 512, 512}, {256, 768, 1024}};

/// The median of five runs, after one that is not counted.
double median_seconds(const std::function<void()>& work) {
    work();
    std::vector<double> times;
    for (int i = 0; i < 5; ++i) times.push_back(seconds(work));
    return median(times);
}

Graph linear_network(int64_t rows, int64_t columns) {
    std::mt19937 random(1);
    std::normal_distribution<float> draw;
    op::Linear layer;
    layer.weight.dims = {columns, rows};
    for (int64_t i = 0; i < rows * columns; ++i) layer.weight.data.push_back(draw(random));
    Graph graph;
    const ValueId x = graph.add_value("x", {{1, rows}, true});
    const ValueId y = graph.add_value("y", {{1, columns}, true});
    graph.inputs.push_back(x);
    graph.outputs.push_back(y);
    graph.nodes.push_back({"layer", std::move(layer), {x}, y});
    return graph;
}

/// 8-bit weights in differential 2-bit cells, 8-bit inputs bit by bit, 8-bit calibrated converters.
Plan plan_of(int64_t rows, int64_t columns, float sigma) {
    LoweringOptions options;
    options.choose = [sigma](const Node&) {
        LayerChoice choice;
        choice.level = Level::crossbar;
        choice.mapping.crossbar.cell_bits = 2;
        choice.mapping.crossbar.slice_bits = SliceBits::low_first;  // slices weigh powers of four, as the
        choice.mapping.crossbar.slice_range = SliceRange::common;   // unfused layer has them
        choice.mapping.device.sigma = sigma;
        choice.mapping.adc.range = AdcRange::calibrated;
        return choice;
    };
    return lower(number_nodes(linear_network(rows, columns)), options);
}

struct Fused {
    std::unique_ptr<Program> program;
    Calibration calibration;
    std::unique_ptr<Chip> chip;
    std::unique_ptr<Stream> stream;

    Fused(const Backend& gpu, const ImageStore& images, int64_t vectors, Plan plan)
        : program(gpu.load(std::move(plan))), calibration(calibrate(*program, {images, vectors, 1})) {
        chip = program->make_chip();
        stream = program->make_stream(vectors);
        stream->load(images, 0, vectors);
    }
    void run(uint32_t number) {
        program->program(*chip, {1, number, false}, calibration);
        stream->run(*chip, 0, static_cast<int>(program->plan().steps.size()));
        stream->wait();
    }
};

/// What the unfused layer needs, and the joined codes that both should give, from a look inside the fused
/// one.
struct Expected {
    std::vector<int16_t> target;
    std::vector<uint8_t> codes;
    std::vector<int64_t> joined;
};

Expected look_inside(Fused& fused, int64_t vectors) {
    fused.run(0);
    Expected e;
    for (int64_t v = 0; v < vectors; ++v) {
        const CrossbarTrace t = fused.stream->trace(*fused.chip, 0, v);
        if (v == 0) e.target = t.conductance;
        for (int32_t code : t.input) e.codes.push_back(static_cast<uint8_t>(code));
        e.joined.insert(e.joined.end(), t.joined.begin(), t.joined.end());
    }
    return e;
}

bool compare(const Backend& gpu, const LayerShape& shape) {
    std::mt19937 random(2);
    std::uniform_real_distribution<float> draw(0, 1);  // not negative: one phase
    std::vector<float> values(static_cast<size_t>(shape.vectors * shape.rows));
    for (float& v : values) v = draw(random);
    const auto images = gpu.upload(values, {}, shape.vectors);

    Fused exact(gpu, *images, shape.vectors, plan_of(shape.rows, shape.columns, 0));
    const CrossbarCalibration& ranges = exact.calibration.crossbars[0];
    const PlainConverter converter{1 / ranges.step[0], 0 - ranges.lo[0] * (1 / ranges.step[0]), 255};
    const Expected expected = look_inside(exact, shape.vectors);
    UnfusedLayer unfused(shape, expected.target, expected.codes, converter);
    unfused.run(0, 1);
    const std::vector<float> joined = unfused.joined();
    for (size_t i = 0; i < joined.size(); ++i)
        if (joined[i] != static_cast<float>(expected.joined[i])) {
            fmt::print("joined code {} is {} unfused and {} fused: not timed\n", i, joined[i],
                       expected.joined[i]);
            return false;
        }

    Fused noisy(gpu, *images, shape.vectors, plan_of(shape.rows, shape.columns, kSigma));
    uint32_t chip = 0;
    const double fused_seconds = median_seconds([&] { noisy.run(chip++); });
    const double unfused_seconds = median_seconds([&] { unfused.run(kSigma * 21845, chip++); });
    const double macs = static_cast<double>(shape.vectors * shape.rows * shape.columns);
    fmt::print(
        "{} vectors, {} rows, {} columns: fused {:.3f} ms a chip ({:.1f} G weights x inputs/s), unfused "
        "{:.3f} ms, "
        "ratio {:.2f}, goal {:.0f}\n",
        shape.vectors, shape.rows, shape.columns, fused_seconds * 1e3, macs / fused_seconds * 1e-9,
        unfused_seconds * 1e3, unfused_seconds / fused_seconds, kGoal);
    return true;
}

}  // namespace
}  // namespace mho::bench

int main() {
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // a line is out when it is measured, into a pipe too
    const mho::CudaState& cuda = mho::cuda_state();
    if (cuda.devices == 0) {
        fmt::print(stderr, "fused_bench: no GPU: {}\n", cuda.why_none);
        return 2;
    }
    const auto gpu = cuda.plugin->make_backend(0);
    fmt::print("{}\n", gpu->description());
    bool good = true;
    for (const auto& [vectors, rows, columns] : mho::bench::kLayers) {
        const int64_t tiles = (rows + 255) / 256;  // even, as mapping fills them; these divide
        good = mho::bench::compare(*gpu, {vectors, rows, columns, rows / tiles}) && good;
    }
    return good ? 0 : 1;
}
