// Crossbars against the plain-loop oracle: random layers, arrays, devices and
// converters, every code, sum and output compared with ==.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <tuple>

#include "host/chip/lowering.h"
#include "host/run/calibration.h"
#include "kernels/backend.h"
#include "tests/backend_contract.h"
#include "tests/graph_builder.h"
#include "tests/oracle/adcs.h"
#include "tests/oracle/crossbar_oracle.h"
#include "tests/oracle/devices.h"

namespace mho {
namespace {

using oracle::CrossbarCase;
using oracle::CrossbarOutcome;
using oracle::WindowAxis;
using testing::GraphBuilder;

constexpr int64_t kImages = 3, kFirstImage = 5, kCalibrationImages = 2;

/// Draws configurations; each case has a generator of its own, so that one can be tried alone.
class CaseMaker {
  public:
    explicit CaseMaker(uint32_t seed) : random_(seed) {}

    int64_t whole(int64_t low, int64_t high) {
        return std::uniform_int_distribution<int64_t>(low, high)(random_);
    }
    bool one_in(int64_t n) { return whole(1, n) == 1; }
    float real(float low, float high) { return std::uniform_real_distribution<float>(low, high)(random_); }
    template <class T>
    T one_of(std::initializer_list<T> choices) {
        return *(choices.begin() + whole(0, static_cast<int64_t>(choices.size()) - 1));
    }
    template <class List>
    const auto& one_listed(const List& list) {
        return *(std::begin(list) + whole(0, static_cast<int64_t>(std::size(list)) - 1));
    }
    std::vector<float> reals(int64_t count, float low, float high) {
        std::vector<float> v;
        for (int64_t i = 0; i < count; ++i) v.push_back(real(low, high));
        return v;
    }

    CrossbarCase make() {
        CrossbarCase c;
        shape(c);
        arrays(c);
        device(c);
        converter(c);
        c.seed = static_cast<uint64_t>(whole(0, 1 << 30)) << 20;
        c.chip = static_cast<uint32_t>(whole(0, 1000));
        return c;
    }
    /// Signed in half of the cases.
    std::vector<float> images(const CrossbarCase& c, int64_t count, bool with_negative) {
        return reals(count * c.channels * c.height * c.width, with_negative ? -1.0f : 0.0f, 1.0f);
    }

  private:
    WindowAxis window_axis() {
        WindowAxis axis;
        axis.kernel = one_of<int64_t>({1, 2, 3});
        axis.dilation = one_of<int64_t>({1, 1, 2});
        axis.stride = whole(1, 2);
        axis.pad_begin = whole(0, axis.kernel - 1);
        axis.pad_end = whole(0, axis.kernel - 1);
        return axis;
    }
    void shape(CrossbarCase& c) {
        c.groups = one_of<int64_t>({1, 1, 1, 2, 3});
        const bool depthwise = one_in(6);
        c.channels = c.groups * (depthwise ? 1 : whole(1, 5));
        c.outputs = c.groups * (depthwise ? 1 : whole(1, 9));
        c.down = window_axis();
        c.across = window_axis();
        c.height = c.down.extent() + whole(0, 2);
        c.width = c.across.extent() + whole(0, 2);
        c.weight = reals(c.outputs * c.channels / c.groups * c.down.kernel * c.across.kernel, -1, 1);
        if (!one_in(4)) c.bias = reals(c.outputs, -2, 2);
    }
    void arrays(CrossbarCase& c) {
        CrossbarSettings& a = c.crossbar;
        a.rows = one_of<int64_t>({4, 7, 16, 256});
        a.columns = one_of<int64_t>({2, 3, 8, 256});
        a.fill = one_in(3) ? Fill::packed : Fill::even;
        a.scheme = one_listed(kSchemes).scheme;
        const bool pairs = description_of(a.scheme).polarities == 2;
        if (pairs && one_in(2)) a.subtract = Subtract::analog;
        if (!pairs && one_in(2)) a.reference = Reference::column;
        a.weight_bits = one_of<int64_t>({0, 2, 4, 5, 8, 8});
        a.cell_bits = one_of<int64_t>({1, 2, 3, 4, 5, 8});
        a.slice_bits = one_in(2) ? SliceBits::even : SliceBits::low_first;
        a.slice_range = one_in(2) ? SliceRange::own : SliceRange::common;
        if (one_in(3)) a.scale = WeightScale::column;
        if (one_in(2)) {
            a.bias = BiasMode::analog;
            a.bias_rows = whole(1, 3);
        }
        a.headroom = one_of({1.0, 1.5, 2.0});
        a.input_bits = one_of<int64_t>({2, 3, 5, 8, 8, 12});
        a.dac_bits = whole(1, std::min<int64_t>(8, a.input_bits));
        if (one_in(2)) a.input_sign = InputSign::offset;
        if (one_in(3)) a.input_clip = 90;
    }
    void device(CrossbarCase& c) {
        DeviceSettings& d = c.device;
        d.g_min = d.g_max * one_of({0.0, 0.0, 0.1, 0.5});
        d.levels = one_of<int64_t>({0, 0, 0, 2, 3, 9});
        const oracle::DeviceOracle& kind = one_listed(oracle::device_oracles());
        d.error = kind.kind;
        kind.choose(d, drawn());
        if (one_in(3)) d.stuck_low = real(0, 0.2f);
        if (one_in(3)) d.stuck_high = real(0, 0.2f);
        if (one_in(2)) d.stuck_value = StuckValue::uniform;
        d.read_noise = one_of({0.0, 0.0, 0.01, 0.2});
    }
    void converter(CrossbarCase& c) {
        AdcSettings& a = c.adc;
        a.bits = one_of<int64_t>({0, 1, 3, 6, 8, 8, 12, 16});
        const oracle::AdcOracle& type = one_listed(oracle::adc_oracles());
        a.type = type.type;
        type.choose(a, drawn());
        a.range = one_of({AdcRange::max, AdcRange::calibrated, AdcRange::fixed});
        a.granularity =
            one_of({Granularity::layer, Granularity::slice, Granularity::tile, Granularity::column});
        if (a.range == AdcRange::fixed) {
            a.low = real(-1, 0.5f);
            a.high = real(1, 20);
        }
        a.percentile = one_of({100.0, 99.0, 80.0});
        a.noise = one_of({0.0, 0.0, 0.7});
        a.gain_sigma = one_of({0.0, 0.05});
        a.offset_sigma = one_of({0.0, 0.8});
        a.columns_per_adc = whole(1, 4);
    }
    oracle::Drawn drawn() {
        return [this](double low, double high) {
            return std::uniform_real_distribution<double>(low, high)(random_);
        };
    }

    std::mt19937 random_;
};

Graph graph_of(const CrossbarCase& c) {
    GraphBuilder b(1);
    const ValueId x = b.input({1, c.channels, c.height, c.width});
    op::Conv conv;
    conv.spatial_rank = 2;
    conv.groups = c.groups;
    for (const auto& [axis, window] : {std::pair(1, c.down), std::pair(2, c.across)}) {
        conv.window.kernel[axis] = window.kernel;
        conv.window.stride[axis] = window.stride;
        conv.window.dilation[axis] = window.dilation;
        conv.window.pad_begin[axis] = window.pad_begin;
        conv.window.pad_end[axis] = window.pad_end;
    }
    conv.weight = {{c.outputs, c.channels / c.groups, c.down.kernel, c.across.kernel}, c.weight};
    if (!c.bias.empty()) conv.bias = {{c.outputs}, c.bias};
    b.output(b.add(std::move(conv), {x}));
    return b.graph;
}

/// What the backend made of a case.
struct BackendOutcome {
    std::vector<CrossbarTrace> traces;  // of each image
    std::vector<float> output;          // as the plan delivers it: [image][outputs][position]
    ProgrammingReport report;
};

BackendOutcome run_backend(const CrossbarCase& c, const std::vector<float>& calibration_images,
                           const std::vector<float>& images) {
    const Graph graph = graph_of(c);
    LoweringOptions options;
    options.choose = [&](const Node&) {
        LayerChoice choice;
        choice.level = Level::crossbar;
        choice.mapping = {c, {}};
        return choice;
    };
    const auto backend = testing::backend_under_test();
    const auto program = backend->load(lower(number_nodes(graph), options));
    const Plan& plan = program->plan();
    int step = 0;
    while (!std::holds_alternative<step::Crossbar>(plan.steps[static_cast<size_t>(step)].operation)) ++step;
    const auto store = backend->upload(calibration_images, {}, kCalibrationImages);
    const Calibration calibration = calibrate(*program, {*store, kCalibrationImages, 1});
    const auto chip = program->make_chip();
    program->program(*chip, {c.seed, c.chip, false}, calibration);
    const auto stream = program->make_stream(kImages, true);
    stream->write(0, images, kFirstImage, kImages);
    stream->run(*chip, 0, static_cast<int>(plan.steps.size()));
    BackendOutcome out;
    for (int64_t image = 0; image < kImages; ++image) out.traces.push_back(stream->trace(*chip, step, image));
    out.output.resize(static_cast<size_t>(plan.elements(plan.outputs[0], kImages)));
    stream->read(plan.outputs[0], out.output);
    out.report = chip->report();
    return out;
}

/// The part of the oracle's array [group][image][rest] that belongs to one image.
template <class T>
std::vector<T> of_image(const std::vector<T>& all, int64_t groups, int64_t image) {
    const int64_t rest = static_cast<int64_t>(all.size()) / (groups * kImages);
    std::vector<T> part;
    for (int64_t g = 0; g < groups; ++g) {
        const auto begin = all.begin() + (g * kImages + image) * rest;
        part.insert(part.end(), begin, begin + rest);
    }
    return part;
}

/// Where two lists differ first: they may be long, and alike to begin with.
template <class T>
void expect_equal(const std::vector<T>& got, const std::vector<T>& want, const char* what) {
    ASSERT_EQ(got.size(), want.size()) << what;
    const auto first = std::mismatch(got.begin(), got.end(), want.begin());
    if (first.first != got.end())
        FAIL() << what << "[" << first.first - got.begin() << "] is " << *first.first << ", the oracle's "
               << *first.second;
}

void expect_equal(const CrossbarCase& c, const BackendOutcome& got, const CrossbarOutcome& want) {
    EXPECT_EQ(got.report.clipped_cells, want.clipped);
    EXPECT_EQ(got.report.stuck_cells, want.stuck);
    EXPECT_EQ(got.report.cells, static_cast<int64_t>(want.conductance.size()));
    for (int64_t image = 0; image < kImages; ++image) {
        const CrossbarTrace& t = got.traces[static_cast<size_t>(image)];
        ASSERT_EQ(t.phases, want.phases);
        ASSERT_EQ(t.steps, want.steps);
        ASSERT_EQ(t.positions, want.positions);
        const size_t size = t.output.size();
        const auto begin = want.output.begin() + static_cast<int64_t>(size) * image;
        expect_equal(t.input, of_image(want.input, c.groups, image), "input");
        expect_equal(t.conductance, want.conductance, "conductance");
        expect_equal(t.column_sum, of_image(want.column_sum, c.groups, image), "column sum");
        expect_equal(t.code, of_image(want.code, c.groups, image), "code");
        expect_equal(t.joined, of_image(want.joined, c.groups, image), "joined");
        expect_equal(t.output, std::vector<float>(begin, begin + static_cast<int64_t>(size)), "output");
        if (::testing::Test::HasFatalFailure()) return;
        for (int64_t position = 0; position < want.positions; ++position)
            for (int64_t n = 0; n < c.outputs; ++n)
                ASSERT_EQ(
                    got.output[static_cast<size_t>((image * c.outputs + n) * want.positions + position)],
                    t.output[static_cast<size_t>(position * c.outputs + n)]);
    }
}

std::string described(const CrossbarCase& c) {
    ::testing::Message m;
    const CrossbarSettings& a = c.crossbar;
    m << description_of(a.scheme).name << (a.subtract == Subtract::analog ? " analog" : "")
      << (a.reference == Reference::column ? " column" : "") << ", " << a.weight_bits << " bits in cells of "
      << a.cell_bits << (a.slice_bits == SliceBits::even ? " even" : " low-first")
      << (a.slice_range == SliceRange::own ? " own" : " common") << ", levels " << c.device.levels
      << ", groups " << c.groups << ", " << c.channels << " x " << c.height << " x " << c.width << " -> "
      << c.outputs << ", kernel " << c.down.kernel << " x " << c.across.kernel << ", arrays " << a.rows
      << " x " << a.columns << ", bias rows " << c.bias_rows() << ", inputs " << a.input_bits << "/"
      << a.dac_bits << (a.input_sign == InputSign::offset ? " offset" : "") << ", error "
      << description_of(c.device.error).name << " " << c.device.sigma << ", read noise "
      << c.device.read_noise << ", ADC " << c.adc.bits << " " << description_of(c.adc.type).name << " range "
      << static_cast<int>(c.adc.range) << " granularity " << static_cast<int>(c.adc.granularity);
    return m.GetString();
}

class CrossbarOracle : public ::testing::TestWithParam<int> {};

/// MHO_TEST_SEED draws other cases.
uint32_t first_seed() {
    const char* given = std::getenv("MHO_TEST_SEED");
    return given ? static_cast<uint32_t>(std::strtoul(given, nullptr, 10)) : 20080u;
}

TEST_P(CrossbarOracle, codes_and_outputs_are_equal) {
    for (int i = 0; i < testing::layers_a_shard(); ++i) {
        const uint32_t seed =
            first_seed() + static_cast<uint32_t>(GetParam() * testing::layers_a_shard() + i);
        CaseMaker maker(seed);
        const CrossbarCase c = maker.make();
        const bool with_negative = maker.one_in(2);
        const std::vector<float> calibration = maker.images(c, kCalibrationImages, with_negative);
        const std::vector<float> images = maker.images(c, kImages, with_negative);
        SCOPED_TRACE("seed " + std::to_string(seed) + ": " + described(c));
        expect_equal(c, run_backend(c, calibration, images),
                     oracle::read_chip(c, calibration, images, kFirstImage));
        if (::testing::Test::HasFailure()) return;
    }
}

/// Sums beyond 32 bits: 8 bits a step over hundreds of rows of one array, read noise and its squares too.
TEST(CrossbarOracleWide, sums_that_need_64_bits_are_exact) {
    for (const auto& [scheme, analog, adc_bits] : std::initializer_list<std::tuple<Scheme, bool, int64_t>>{
             {Scheme::offset, false, 0}, {Scheme::differential, false, 16}, {Scheme::balanced, true, 12}}) {
        CaseMaker maker(77);
        CrossbarCase c;
        c.channels = 60;
        c.height = c.width = 3;
        c.down.kernel = c.across.kernel = 3;
        c.outputs = 2;
        c.weight = maker.reals(c.outputs * c.channels * 9, 0.5f, 1);
        c.crossbar.rows = 535;
        c.crossbar.scheme = scheme;
        if (analog) c.crossbar.subtract = Subtract::analog;
        c.crossbar.headroom = 1;
        c.crossbar.dac_bits = 8;
        c.adc.bits = adc_bits;
        c.adc.range = AdcRange::calibrated;
        c.device.sigma = 0.01;
        c.device.read_noise = 0.02;
        const std::vector<float> calibration = maker.reals(kCalibrationImages * 540, 0.7f, 1);
        const std::vector<float> images = maker.reals(kImages * 540, 0.7f, 1);
        const CrossbarOutcome want = oracle::read_chip(c, calibration, images, kFirstImage);
        if (!analog) {
            EXPECT_GT(*std::max_element(want.column_sum.begin(), want.column_sum.end()), int64_t{1} << 30);
        }
        SCOPED_TRACE(description_of(scheme).name);
        expect_equal(c, run_backend(c, calibration, images), want);
    }
}

/// One bit a step, nearly full cells and inputs, without noise: sums times the weight of the last step, and
/// joined codes of fine converters, come near 2^31 (2^30 with both polarities) or go past it.
TEST(CrossbarOracleWide, sums_and_codes_on_both_sides_of_32_bits_are_exact) {
    for (const auto& [channels, adc_bits] :
         std::initializer_list<std::tuple<int64_t, int64_t>>{{56, 8}, {60, 8}, {56, 21}, {56, 24}}) {
        CaseMaker maker(78);
        CrossbarCase c;
        c.channels = channels;
        c.height = c.width = c.down.kernel = c.across.kernel = 3;
        c.outputs = 2;
        c.weight = maker.reals(c.outputs * c.channels * 9, 0.98f, 1);
        c.crossbar.rows = 9 * channels;
        c.crossbar.headroom = 1;
        c.adc.bits = adc_bits;
        c.adc.range = AdcRange::max;
        const std::vector<float> calibration = maker.reals(kCalibrationImages * 9 * channels, 0.9f, 1);
        const std::vector<float> images = maker.reals(kImages * 9 * channels, 0.9f, 1);
        const CrossbarOutcome want = oracle::read_chip(c, calibration, images, kFirstImage);
        const int64_t kept = *std::max_element(want.column_sum.begin(), want.column_sum.end()) << 7;
        EXPECT_EQ(kept < int64_t{1} << 31, channels == 56);
        SCOPED_TRACE(described(c));
        expect_equal(c, run_backend(c, calibration, images), want);
    }
}

/// 61 outputs in eight tiles of columns, and a reference column for each: in a GPU's arrays the last output
/// lies beside references that other blocks need, without its own.
TEST(CrossbarOracleWide, references_are_those_of_the_own_tile_wherever_they_lie) {
    CaseMaker maker(80);
    CrossbarCase c;
    c.channels = 5;
    c.outputs = 61;
    c.weight = maker.reals(c.outputs * c.channels, -1, 1);
    c.crossbar.columns = 8;
    c.crossbar.scheme = Scheme::offset;
    c.crossbar.reference = Reference::column;
    c.device.sigma = 0.05;
    const std::vector<float> calibration = maker.reals(kCalibrationImages * c.channels, 0, 1);
    const std::vector<float> images = maker.reals(kImages * c.channels, 0, 1);
    expect_equal(c, run_backend(c, calibration, images),
                 oracle::read_chip(c, calibration, images, kFirstImage));
}

#if !defined(MHO_SANITIZED)  // the oracle takes minutes there
/// The largest arrays that a GPU takes, with all that can fill its shared memory: both polarities at once, or
/// reference columns; read noise; more columns than one block reads.
TEST(CrossbarOracleWide, arrays_of_a_thousand_rows_are_exact) {
    for (const bool reference : {false, true}) {
        CaseMaker maker(79);
        CrossbarCase c;
        c.channels = 113;
        c.height = c.width = c.down.kernel = c.across.kernel = 3;
        c.outputs = 21;
        c.weight = maker.reals(c.outputs * c.channels * 9, -1, 1);
        c.crossbar.rows = 1024;
        c.crossbar.columns = 8;
        c.crossbar.scheme = reference ? Scheme::offset : Scheme::differential;
        if (reference)
            c.crossbar.reference = Reference::column;
        else
            c.crossbar.subtract = Subtract::analog;
        c.device.sigma = 0.05;
        c.device.read_noise = 0.02;
        c.adc.range = AdcRange::calibrated;
        const std::vector<float> calibration = maker.reals(kCalibrationImages * 1017, 0, 1);
        const std::vector<float> images = maker.reals(kImages * 1017, 0, 1);
        SCOPED_TRACE(described(c));
        expect_equal(c, run_backend(c, calibration, images),
                     oracle::read_chip(c, calibration, images, kFirstImage));
    }
}
#endif

INSTANTIATE_TEST_SUITE_P(RandomCases, CrossbarOracle, ::testing::Range(0, 12));

}  // namespace
}  // namespace mho
