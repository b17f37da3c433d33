#include "host/run/calibration.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "host/chip/ranges.h"
#include "host/util/threads.h"

namespace mho {
namespace {

/// All calibration images in flight at once, shared out to one stream a thread, so that a layer is measured
/// over all of them before any goes on.
class CalibrationPass {
  public:
    CalibrationPass(const Program& program, const CalibrationRun& run)
        : program_(program), stop_(run.stop), chip_(program.make_chip()) {
        const int64_t threads = std::clamp<int64_t>(run.threads, 1, run.count);
        for (int64_t t = 0; t < threads; ++t) {
            const int64_t first = run.count * t / threads, count = run.count * (t + 1) / threads - first;
            streams_.push_back(program.make_stream(count));
            streams_.back()->load(run.images, first, count);
        }
    }

    void program(const ChipAddress& address, const Calibration& calibration) {
        for (const auto& stream : streams_) stream->wait();  // what still runs on the chip as it was
        program_.program(*chip_, address, calibration);
    }

    void run_step(int step) {
        if (stop_ && *stop_) throw Stopped{};
        on_streams([&](size_t t) { streams_[t]->run(*chip_, step, step + 1); });
    }

    InputHistogram measure_input(TensorId tensor) {
        std::vector<InputHistogram> parts(streams_.size());
        on_streams([&](size_t t) { parts[t] = streams_[t]->measure_input(tensor); });
        for (size_t t = 1; t < parts.size(); ++t) parts[0].merge(parts[t]);
        return parts[0];
    }

    ColumnHistograms measure_columns(int step) {
        std::vector<ColumnHistograms> parts(streams_.size());
        on_streams([&](size_t t) { parts[t] = streams_[t]->measure_columns(*chip_, step); });
        for (size_t t = 1; t < parts.size(); ++t) parts[0].merge(parts[t]);
        return parts[0];
    }

  private:
    void on_streams(const std::function<void(size_t)>& work) {
        on_threads(static_cast<int>(streams_.size()), [&](int t) { work(static_cast<size_t>(t)); });
    }

    const Program& program_;
    const std::atomic<bool>* stop_;
    std::unique_ptr<Chip> chip_;
    std::vector<std::unique_ptr<Stream>> streams_;
};

const step::Crossbar* crossbar_of(const Step& step) { return std::get_if<step::Crossbar>(&step.operation); }
const step::Quantise* quantiser_of(const Step& step) { return std::get_if<step::Quantise>(&step.operation); }

bool measures_columns(const CrossbarLayer& layer) {
    return layer.adc.bits > 0 && layer.adc.range == AdcRange::calibrated;
}

bool measures_on_chips(const CrossbarLayer& layer) {
    return layer.adc.calibrate == CalibrateOn::chip && measures_columns(layer);
}

}  // namespace

bool needs_calibration(const Plan& plan) { return !plan.crossbars.empty() || plan.quantise_sites > 0; }

bool calibrates_on_chips(const Plan& plan) {
    return std::any_of(plan.crossbars.begin(), plan.crossbars.end(), measures_on_chips);
}

Calibration calibrate(const Program& program, const CalibrationRun& run) {
    const Plan& plan = program.plan();
    Calibration calibration;
    calibration.crossbars.resize(plan.crossbars.size());
    calibration.quantise_high.resize(static_cast<size_t>(plan.quantise_sites), 0.0f);
    if (!needs_calibration(plan)) return calibration;

    const ChipAddress nominal{0, 0, true};
    CalibrationPass pass(program, run);
    pass.program(nominal, calibration);
    for (int i = 0; i < static_cast<int>(plan.steps.size()); ++i) {
        const Step& step = plan.steps[static_cast<size_t>(i)];
        if (const auto* crossbar = crossbar_of(step)) {
            const size_t index = static_cast<size_t>(crossbar->crossbar);
            const CrossbarLayer& layer = plan.crossbars[index];
            CrossbarCalibration& fixed = calibration.crossbars[index];
            set_input_scale(layer, pass.measure_input(step.inputs[0]), fixed);
            pass.program(nominal, calibration);
            set_converter_ranges(
                layer, measures_columns(layer) ? pass.measure_columns(i) : ColumnHistograms{}, fixed);
            pass.program(nominal, calibration);
        } else if (const auto* quantiser = quantiser_of(step)) {
            calibration.quantise_high[static_cast<size_t>(quantiser->site)] =
                std::max(pass.measure_input(step.inputs[0]).maximum, 0.0f);
            pass.program(nominal, calibration);
        }
        pass.run_step(i);
    }
    return calibration;
}

Calibration calibrate_chip(const Program& program, const Calibration& nominal, const ChipAddress& address,
                           const CalibrationRun& run) {
    const Plan& plan = program.plan();
    Calibration calibration = nominal;
    CalibrationPass pass(program, run);
    pass.program(address, calibration);
    for (int i = 0; i < static_cast<int>(plan.steps.size()); ++i) {
        if (const auto* crossbar = crossbar_of(plan.steps[static_cast<size_t>(i)])) {
            const size_t index = static_cast<size_t>(crossbar->crossbar);
            const CrossbarLayer& layer = plan.crossbars[index];
            if (measures_on_chips(layer)) {
                set_converter_ranges(layer, pass.measure_columns(i), calibration.crossbars[index]);
                pass.program(address, calibration);
            }
        }
        pass.run_step(i);
    }
    return calibration;
}

}  // namespace mho
