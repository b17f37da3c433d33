#include "host/run/execution.h"

#include <utility>

#include "host/chip/point_plan.h"
#include "host/run/calibration.h"

namespace mho {
namespace {

Outcome outcome_of(const Score& s) { return {s.images, s.top1, s.top5, s.loss}; }

std::vector<DeviceShare> shares_of(const std::vector<LoadedProgram>& programs, const Workload& workload) {
    std::vector<DeviceShare> shares;
    for (const LoadedProgram& on : programs) shares.push_back({*on.program, workload.test_images(on.device)});
    return shares;
}

}  // namespace

/// One point of a run on the devices: its plan loaded, its ranges calibrated, its chips ready to be run.
class PointOnDevices {
  public:
    PointOnDevices(WorkingDevices& devices, Workload& workload, const RunPoint& point, const Workers& workers)
        : workload_(workload),
          programs_(devices.load(plan_of(workload, point))),
          stop_(workers.stop),
          calibration_(calibrated(devices, workers.threads)),
          chips_(shares_of(programs_, workload), workload.test_count(), calibration_, workers,
                 static_cast<uint64_t>(point.config.monte_carlo.seed), calibrator()) {}
    PointOnDevices(const PointOnDevices&) = delete;  // what it holds refers to it
    PointOnDevices& operator=(const PointOnDevices&) = delete;

    MonteCarlo& chips() { return chips_; }

  private:
    static Plan plan_of(const Workload& workload, const RunPoint& point) {
        const NumberedGraph network = prepare_network(workload.network(), point.config);
        return lower(network, lowering_options(point.config, network, point.only_layer));
    }

    const Plan& plan() const { return programs_.front().program->plan(); }

    /// Measured on the first device.
    Calibration calibrated(WorkingDevices& devices, int threads) {
        if (!needs_calibration(plan())) return {};
        workload_.read_calibration_images();
        return devices.on_first(programs_, [&](const LoadedProgram& on) {
            return calibrate(*on.program, calibration_run(threads, on.device));
        });
    }

    ChipCalibrator calibrator() const {
        if (!calibrates_on_chips(plan())) return {};
        return [this](size_t share, const ChipAddress& address) {
            const LoadedProgram& on = programs_[share];
            return calibrate_chip(*on.program, calibration_, address, calibration_run(1, on.device));
        };
    }

    CalibrationRun calibration_run(int threads, size_t device) const {
        CalibrationRun run = workload_.calibration_run(threads, device);
        run.stop = stop_;
        return run;
    }

    Workload& workload_;
    std::vector<LoadedProgram> programs_;
    const std::atomic<bool>* stop_;
    const Calibration calibration_;
    MonteCarlo chips_;
};

Execution::Execution(Workload& workload, const std::vector<RunPoint>& points, ExecutionOptions options)
    : workload_(workload),
      points_(points),
      options_(std::move(options)),
      devices_(workload.devices(), options_.note),
      chip_began_(Clock::now()) {}

Execution::~Execution() = default;

Workers Execution::workers(int64_t batch) const {
    return {options_.threads, batch, options_.stop, options_.images_read, options_.note};
}

std::optional<Outcome> Execution::digital(const Plan& plan, int64_t batch) {
    const std::vector<LoadedProgram> programs = devices_.load(plan);
    Workers crew = workers(batch);
    crew.images_read = {};  // of chips alone
    const std::optional<Score> score =
        MonteCarlo(shares_of(programs, workload_), workload_.test_count(), {}, crew, 0).nominal();
    chip_began_ = Clock::now();
    if (!score) return std::nullopt;
    return outcome_of(*score);
}

void Execution::bring(size_t point) {
    if (point_ && brought_ == point) return;
    point_.reset();  // makes room for the next one
    const RunPoint& wanted = points_[point];
    point_ = std::make_unique<PointOnDevices>(devices_, workload_, wanted,
                                              workers(wanted.config.monte_carlo.batch));
    brought_ = point;
}

void Execution::run(const ChipsToRun& part, const std::function<void(const ChipResult&)>& finished) {
    bring(part.point);
    point_->chips().run(part.chips, [&](const ChipOutcome& outcome) { finished(result_of(outcome)); });
}

ChipResult Execution::result_of(const ChipOutcome& o) {
    const Clock::time_point before = std::exchange(chip_began_, Clock::now());
    const double seconds = std::chrono::duration<double>(chip_began_ - before).count();
    return {outcome_of(o.score),  o.chip,
            o.report.cells,       o.report.clipped_cells,
            o.report.stuck_cells, o.programming_seconds,
            o.reading_seconds,    seconds};
}

}  // namespace mho
