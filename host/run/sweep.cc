#include "host/run/sweep.h"

#include "host/chip/point_plan.h"
#include "host/results/findings.h"
#include "host/results/tables.h"
#include "host/run/calibration.h"
#include "host/run/execution.h"
#include "host/run/run_info.h"
#include "host/run/workload.h"

namespace mho {
namespace {

std::vector<PointLabel> labels_of(const std::vector<RunPoint>& points) {
    std::vector<PointLabel> labels;
    for (const RunPoint& point : points) labels.push_back(point.label);
    return labels;
}

/// Runs what a point still needs, as far as its chips tell.
void run_point(size_t point, const MonteCarloConfig& wanted, Execution& execution, Gathering& gathered,
               ProgressMeter& progress, const std::atomic<bool>& stop) {
    const PointResult& so_far = gathered.run().points[point];
    progress.begin_point(words(so_far.label), right_images(so_far.chips).right);
    std::vector<uint32_t> chips = next_chips(so_far.chips, wanted);
    for (; !chips.empty() && !stop; chips = next_chips(so_far.chips, wanted))
        execution.run({point, chips}, [&](const ChipResult& chip) {
            gathered.add(point, chip);
            progress.add_chip(chip.top1);
        });
    progress.end_point(stop ? 0 : wanted.chips - std::ssize(so_far.chips));
}

}  // namespace

RunResult run_sweep(const Devices& devices, const Config& config, const SweepOptions& options) {
    const std::atomic<bool> never = false;
    const std::atomic<bool>& stop = options.stop ? *options.stop : never;
    const MonteCarloConfig& wanted = config.monte_carlo;

    Workload workload(devices, config);
    const std::vector<RunPoint> points = run_points(config, workload.network(), options.per_layer);
    const Plan digital = lower_digital(prepare_network(workload.network(), config), wanted.precision);
    RunInfo info = run_info(config, points, workload, *devices[0]->load(digital));
    info.per_layer = options.per_layer;
    info.command = options.command;
    Gathering gathered(info, labels_of(points), options.out);

    ProgressMeter progress({std::ssize(points) * wanted.chips, gathered.finished_chips(),
                            workload.test_count(), wanted.confidence},
                           options.progress);
    Execution execution(workload, points,
                        {options.threads, &stop, [&](int64_t images) { progress.add_images(images); },
                         [&](const std::string& text) { progress.note(text); }});
    try {
        if (!gathered.run().digital) {
            progress.note("digital baseline");
            if (const std::optional<Outcome> baseline = execution.digital(digital, wanted.batch))
                gathered.set_digital(*baseline);
        }
        for (size_t p = 0; p < points.size() && !stop; ++p)
            run_point(p, wanted, execution, gathered, progress, stop);
    } catch (const Stopped&) {  // in the middle of a calibration
    }
    return gathered.run();
}

}  // namespace mho
