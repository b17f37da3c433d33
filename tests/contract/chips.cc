// The same (seed, chip) is the same chip: in any batch, in any order, on a chip or stream that was used
// before; another address is another chip; noise belongs to an image and a position, not to a batch.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>
#include <random>
#include <stdexcept>

#include "host/chip/lowering.h"
#include "host/run/calibration.h"
#include "kernels/base/normal.h"
#include "tests/backend_contract.h"
#include "tests/graph_builder.h"

namespace mho {
namespace {

using testing::GraphBuilder;

constexpr int64_t kImages = 7;
constexpr int64_t kPixels = 3 * 6 * 5;
constexpr int kClasses = 8;

Graph small_network() {
    GraphBuilder b(9);
    const ValueId x = b.relu(b.conv(b.input({1, 3, 6, 5}), 6, 3));
    const ValueId y = b.binary(BinaryKind::add, b.conv(x, 6, 3, 1, 6), x);
    b.output(b.linear(b.reshape(b.mean(b.relu(y), {2, 3}), {1, 6}), kClasses));
    return b.graph;
}

std::vector<float> pixels(int64_t images, uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<float> x;
    for (int64_t i = 0; i < images * kPixels; ++i)
        x.push_back(std::uniform_real_distribution<float>(-1, 1)(random));
    return x;
}

LayerChoice noisy_crossbar(const Node&) {
    LayerChoice choice;
    choice.level = Level::crossbar;
    choice.mapping.crossbar.rows = 20;
    choice.mapping.crossbar.cell_bits = 2;
    choice.mapping.device.sigma = 0.05;
    choice.mapping.device.read_noise = 0.05;
    choice.mapping.adc.range = AdcRange::calibrated;
    choice.mapping.adc.noise = 0.3;
    choice.mapping.adc.gain_sigma = 0.02;
    return choice;
}

LayerChoice noisy_parameters(const Node&) {
    LayerChoice choice;
    choice.level = Level::parameter;
    choice.parameter.sigma = 0.1;
    choice.parameter.mu = 0.02;
    return choice;
}

struct LevelCase {
    const char* name;
    LayerChoice (*choose)(const Node&);

    friend void PrintTo(const LevelCase& c, std::ostream* out) { *out << c.name; }
};

/// A loaded network with what it needs to run.
class ChipContract : public ::testing::TestWithParam<LevelCase> {
  protected:
    void SetUp() override {
        backend_ = testing::backend_under_test();
        LoweringOptions options;
        options.choose = GetParam().choose;
        program_ = backend_->load(lower(number_nodes(small_network()), options));
        const std::vector<float> images = pixels(5, 2);
        training_ = backend_->upload(images, {}, 5);
        test_ = backend_->upload(pixels(kImages, 1), {}, kImages);
        calibration_ = calibrate(*program_, {*training_, 5, 1});
    }

    /// Logits of the images loaded on `chip`.
    std::vector<float> logits(Stream& stream, const Chip& chip, size_t count) const {
        const Plan& plan = program_->plan();
        stream.run(chip, 0, static_cast<int>(plan.steps.size()));
        std::vector<float> out(
            static_cast<size_t>(plan.elements(plan.outputs[0], static_cast<int64_t>(count))));
        stream.read(plan.outputs[0], out);
        return out;
    }
    /// Logits of images [first, first + count).
    std::vector<float> logits(Stream& stream, const Chip& chip, int64_t first, int64_t count) const {
        stream.load(*test_, first, count);
        return logits(stream, chip, static_cast<size_t>(count));
    }
    /// Logits of all images in batches of `batch`.
    std::vector<float> in_batches(const Chip& chip, int64_t batch) const {
        const auto stream = program_->make_stream(batch);
        std::vector<float> all;
        for (int64_t first = 0; first < kImages; first += batch) {
            const std::vector<float> part = logits(*stream, chip, first, std::min(batch, kImages - first));
            all.insert(all.end(), part.begin(), part.end());
        }
        return all;
    }
    std::unique_ptr<Chip> programmed(const ChipAddress& address) const {
        auto chip = program_->make_chip();
        program_->program(*chip, address, calibration_);
        return chip;
    }

    std::unique_ptr<Backend> backend_;
    std::unique_ptr<Program> program_;
    std::unique_ptr<ImageStore> training_, test_;
    Calibration calibration_;
};

/// How far logits of small_network may differ where its sums are taken in other orders. A sum of K products
/// in any order is off by at most K u times the sum of their magnitudes (u = 2^-24), and no magnitude shrinks
/// on the way to the logits: so all K, and five single roundings, times the largest magnitude that logits
/// could have without cancellation; twice, since both sides are off.
double order_bound(const Chip& chip) {
    const auto largest = [&](ParameterId id) {
        double m = 0;
        for (float p : chip.read_parameter(id)) m = std::max(m, std::abs(static_cast<double>(p)));
        return m;
    };
    const double first = 27 * largest(0) + largest(1);                   // 3 channels x 3 x 3, pixels up to 1
    const double carried = 9 * largest(2) * first + largest(3) + first;  // depthwise 3 x 3, and the identity
    const double logits = 6 * largest(4) * carried + largest(5);         // means of 6 channels
    return 2 * (27 + 9 + 30 + 6 + 5) * 0x1p-24 * logits;                 // 30 positions are averaged
}

/// What a stream keeps from batch to batch belongs to one programming of one chip.
TEST_P(ChipContract, a_stream_runs_what_a_chip_is_programmed_as_now) {
    const auto chip = programmed({5, 3, false}), other = programmed({5, 4, false});
    const auto stream = program_->make_stream(kImages), fresh = program_->make_stream(kImages);
    const std::vector<float> expected = logits(*fresh, *other, 0, kImages);
    std::vector<float> before;
    for (int i = 0; i < 3; ++i) before = logits(*stream, *chip, 0, kImages);
    EXPECT_NE(before, expected);
    program_->program(*chip, {5, 4, false}, calibration_);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(logits(*stream, *chip, 0, kImages), expected) << i;
    const auto first = programmed({5, 3, false});
    EXPECT_EQ(logits(*stream, *first, 0, kImages), before);
}

TEST_P(ChipContract, any_batch_gives_the_same_logits) {
    const auto chip = programmed({5, 3, false});
    const std::vector<float> whole = in_batches(*chip, kImages);
    const bool exact = !program_->plan().crossbars.empty();
    for (int64_t batch : {1, 2, 3}) {
        const std::vector<float> parts = in_batches(*chip, batch);
        ASSERT_EQ(parts.size(), whole.size());
        for (size_t i = 0; i < whole.size(); ++i) {
            if (exact)
                ASSERT_EQ(parts[i], whole[i]) << "batch " << batch;
            else
                ASSERT_NEAR(parts[i], whole[i], order_bound(*chip)) << "batch " << batch;
        }
    }
}

/// Read noise belongs to an image, not to where it stands in a batch.
TEST_P(ChipContract, an_image_has_its_logits_in_any_list_of_images) {
    const auto chip = programmed({5, 3, false});
    const auto stream = program_->make_stream(kImages);
    const std::vector<float> all = logits(*stream, *chip, 0, kImages);
    const bool exact = !program_->plan().crossbars.empty();
    for (const std::vector<int64_t>& list :
         {std::vector<int64_t>{6, 5, 4, 3, 2, 1, 0}, {3}, {5, 1, 2}, {4, 4, 1, 4}, {2, 6, 0, 5, 1, 4, 3}}) {
        SCOPED_TRACE(::testing::PrintToString(list));
        stream->load(*test_, list);
        const std::vector<float> got = logits(*stream, *chip, list.size());
        ASSERT_EQ(got.size(), list.size() * kClasses);
        for (size_t e = 0; e < got.size(); ++e) {
            const float want = all[static_cast<size_t>(list[e / kClasses]) * kClasses + e % kClasses];
            if (exact)
                ASSERT_EQ(got[e], want) << "image " << e / kClasses;
            else
                ASSERT_NEAR(got[e], want, order_bound(*chip)) << "image " << e / kClasses;
        }
    }
}

TEST_P(ChipContract, images_that_are_not_there_are_not_loaded) {
    const auto chip = programmed({5, 3, false});
    const auto stream = program_->make_stream(2);
    const std::vector<float> want = logits(*stream, *chip, 1, 2);
    EXPECT_THROW(stream->load(*test_, std::vector<int64_t>{0, kImages}), std::out_of_range);
    EXPECT_THROW(stream->load(*test_, std::vector<int64_t>{-1, 0}), std::out_of_range);
    EXPECT_THROW(stream->load(*test_, kImages - 1, 2), std::out_of_range);
    EXPECT_THROW(stream->load(*test_, std::vector<int64_t>{0, 1, 2}), std::invalid_argument);
    EXPECT_EQ(logits(*stream, *chip, 2), want) << "what was loaded before is still there";
}

TEST_P(ChipContract, a_chip_used_before_is_the_chip_that_it_is_programmed_as) {
    const auto fresh = programmed({5, 3, false});
    const std::vector<float> want = in_batches(*fresh, kImages);
    const auto used = programmed({5, 8, false});
    EXPECT_NE(in_batches(*used, kImages), want);
    program_->program(*used, {6, 3, false}, calibration_);
    EXPECT_NE(in_batches(*used, kImages), want);
    program_->program(*used, {5, 3, true}, calibration_);
    EXPECT_NE(in_batches(*used, kImages), want);
    program_->program(*used, {5, 3, false}, calibration_);
    EXPECT_EQ(in_batches(*used, kImages), want);
    EXPECT_EQ(used->report().cells, fresh->report().cells);
    EXPECT_EQ(used->report().clipped_cells, fresh->report().clipped_cells);
}

TEST_P(ChipContract, other_calibrations_reach_a_chip_that_keeps_its_cells) {
    if (program_->plan().crossbars.empty()) return;  // nothing is calibrated
    const auto chip = programmed({5, 3, false});
    const std::vector<float> want = in_batches(*chip, kImages);
    Calibration wider = calibration_;
    for (CrossbarCalibration& c : wider.crossbars)
        for (float& step : c.step) step *= 4;
    program_->program(*chip, {5, 3, false}, wider);
    EXPECT_NE(in_batches(*chip, kImages), want);
    program_->program(*chip, {5, 3, false}, calibration_);
    EXPECT_EQ(in_batches(*chip, kImages), want);
}

TEST_P(ChipContract, ranges_measured_on_a_chip_differ_from_the_nominal_ones_and_repeat) {
    if (program_->plan().crossbars.empty()) return;  // nothing is calibrated
    LoweringOptions options;
    options.choose = [](const Node& node) {
        LayerChoice choice = noisy_crossbar(node);
        choice.mapping.adc.calibrate = CalibrateOn::chip;
        return choice;
    };
    const auto program = backend_->load(lower(number_nodes(small_network()), options));
    const ChipAddress address{5, 3, false};
    const Calibration one = calibrate_chip(*program, calibration_, address, {*training_, 5, 1});
    const Calibration two = calibrate_chip(*program, calibration_, address, {*training_, 5, 3});
    for (size_t i = 0; i < one.crossbars.size(); ++i) {
        EXPECT_EQ(one.crossbars[i].step, two.crossbars[i].step);
        EXPECT_EQ(one.crossbars[i].lo, two.crossbars[i].lo);
        EXPECT_EQ(one.crossbars[i].x_lsb, calibration_.crossbars[i].x_lsb);
        EXPECT_NE(one.crossbars[i].step, calibration_.crossbars[i].step);
    }
}

TEST_P(ChipContract, calibration_does_not_depend_on_how_images_are_shared_out) {
    for (int threads : {2, 3, 5}) {
        const Calibration c = calibrate(*program_, {*training_, 5, threads});
        ASSERT_EQ(c.crossbars.size(), calibration_.crossbars.size());
        for (size_t i = 0; i < c.crossbars.size(); ++i) {
            EXPECT_EQ(c.crossbars[i].x_lsb, calibration_.crossbars[i].x_lsb);
            EXPECT_EQ(c.crossbars[i].lo, calibration_.crossbars[i].lo);
            EXPECT_EQ(c.crossbars[i].step, calibration_.crossbars[i].step);
        }
    }
}

TEST_P(ChipContract, perturbed_parameters_are_their_formula_at_their_address) {
    const Plan& plan = program_->plan();
    const auto chip = programmed({5, 3, false});
    for (size_t i = 0; i < plan.parameters.size(); ++i) {
        const Parameter& parameter = plan.parameters[i];
        const std::vector<float> got = chip->read_parameter(static_cast<ParameterId>(i));
        if (!parameter.perturbation) {
            EXPECT_EQ(got, parameter.value);
            continue;
        }
        const Perturbation& p = *parameter.perturbation;
        for (size_t e = 0; e < got.size(); ++e) {
            const float n = normal({5, 3, p.domain, p.layer}, p.first_element + e);
            ASSERT_EQ(got[e], std::fma(p.range, std::fma(p.sigma, n, p.mu), parameter.value[e]));
        }
    }
}

/// Image i has the class of rank i: every rank but the last once.
std::vector<int32_t> labels_by_rank(const std::vector<float>& logits) {
    std::vector<int32_t> labels;
    for (size_t i = 0; i < kImages; ++i) {
        const float* row = logits.data() + i * kClasses;
        std::vector<int32_t> ranked(kClasses);
        std::iota(ranked.begin(), ranked.end(), 0);
        std::stable_sort(ranked.begin(), ranked.end(), [&](int32_t a, int32_t b) { return row[a] > row[b]; });
        labels.push_back(ranked[i]);
    }
    return labels;
}

TEST_P(ChipContract, scores_count_ranks_and_sum_losses) {
    const auto chip = programmed({5, 3, false});
    const auto stream = program_->make_stream(kImages);
    const std::vector<float> all = logits(*stream, *chip, 0, kImages);
    const std::vector<int32_t> labels = labels_by_rank(all);
    double loss = 0;
    for (int64_t i = 0; i < kImages; ++i) {
        const float* row = all.data() + i * kClasses;
        double sum = 0;
        for (int c = 0; c < kClasses; ++c)
            sum += std::exp(static_cast<double>(row[c]) -
                            static_cast<double>(row[labels[static_cast<size_t>(i)]]));
        loss += std::log(sum);
    }
    const auto score_of = [&](const std::vector<int32_t>& given, int64_t batch) {
        const auto store = backend_->upload(pixels(kImages, 1), given, kImages);
        for (int64_t first = 0; first < kImages; first += batch) {
            stream->load(*store, first, std::min(batch, kImages - first));
            stream->run(*chip, 0, static_cast<int>(program_->plan().steps.size()));
            stream->add_score();
        }
        return stream->take_score();
    };
    const Score score = score_of(labels, kImages);
    EXPECT_EQ(score.images, kImages);
    EXPECT_EQ(score.top1, 1);
    EXPECT_EQ(score.top5, 5);
    EXPECT_NEAR(static_cast<double>(score.loss) * 0x1p-20, loss, kImages * 1e-5 * (1 + loss));
    EXPECT_EQ(stream->take_score(), Score{}) << "it was taken";
    if (!program_->plan().crossbars.empty()) {  // products in other batches may differ in their last bits
        EXPECT_EQ(score_of(labels, 2), score);
        EXPECT_EQ(score_of(labels, 1), score);
    }
}

TEST_P(ChipContract, a_label_goes_with_its_image_in_any_list) {
    if (!program_->plan().crossbars.empty()) return;  // scores do not know of levels: the faster one tells
    const auto chip = programmed({5, 3, false});
    const auto stream = program_->make_stream(kImages);
    const std::vector<float> all = logits(*stream, *chip, 0, kImages);
    const auto store = backend_->upload(pixels(kImages, 1), labels_by_rank(all), kImages);
    for (const std::vector<int64_t>& list :
         {std::vector<int64_t>{0}, {1}, {4}, {5}, {6, 0, 0}, {5, 2, 0, 6}, {3, 1, 4, 2, 0, 6, 5}}) {
        stream->load(*store, list);
        stream->run(*chip, 0, static_cast<int>(program_->plan().steps.size()));
        stream->add_score();
        const Score score = stream->take_score();
        EXPECT_EQ(score.images, std::ssize(list));
        EXPECT_EQ(score.top1, std::count(list.begin(), list.end(), 0)) << ::testing::PrintToString(list);
        EXPECT_EQ(score.top5, std::count_if(list.begin(), list.end(), [](int64_t i) { return i < 5; }))
            << ::testing::PrintToString(list);
    }
}

/// Chips that fail give the wrong class any confidence: losses of a million nats, over whole data sets.
TEST_P(ChipContract, losses_of_many_images_do_not_overflow) {
    const auto chip = programmed({5, 3, false});
    const auto stream = program_->make_stream(kImages);
    std::vector<float> huge = pixels(kImages, 1);
    for (float& x : huge) x *= 1e30f;  // logits beyond all limits
    const auto store = backend_->upload(huge, std::vector<int32_t>(kImages, 0), kImages);
    Score sum;
    stream->load(*store, 0, kImages);
    stream->run(*chip, 0, static_cast<int>(program_->plan().steps.size()));
    stream->add_score();
    const Score one = stream->take_score();
    ASSERT_GT(one.loss, 0);
    if (program_->plan().crossbars.empty()) {  // whose converters bound what comes out
        EXPECT_GE(one.loss, int64_t{1} << 40);
    }
    for (int64_t i = 0; i < 50'000; i += kImages) sum += one;
    EXPECT_NEAR(static_cast<double>(sum.loss) / static_cast<double>(sum.images),
                static_cast<double>(one.loss) / kImages, 1e-6 * static_cast<double>(one.loss));
    EXPECT_LE(sum.loss / sum.images, int64_t{1} << 40);  // 2^20 nats an image
}

TEST_P(ChipContract, images_without_labels_are_not_scored) {
    const auto chip = programmed({5, 3, false});
    const auto stream = program_->make_stream(kImages);
    stream->load(*test_, 0, kImages);
    stream->run(*chip, 0, static_cast<int>(program_->plan().steps.size()));
    EXPECT_THROW(stream->add_score(), std::invalid_argument);
}

TEST_P(ChipContract, a_batch_that_fits_is_the_one_asked_for_or_part_of_it) {
    EXPECT_EQ(program_->fitting_batch(7, 2), 7);
    EXPECT_THROW(program_->fitting_batch(7, 1 << 30), std::bad_alloc);
    const int64_t fitting = program_->fitting_batch(int64_t{1} << 40, 1);
    EXPECT_LT(fitting, int64_t{1} << 40);
    EXPECT_GT(fitting, 0);
}

INSTANTIATE_TEST_SUITE_P(Levels, ChipContract,
                         ::testing::Values(LevelCase{"crossbar", noisy_crossbar},
                                           LevelCase{"parameter", noisy_parameters}),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace mho
