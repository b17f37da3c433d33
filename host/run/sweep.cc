#include "host/run/sweep.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>
#include <utility>

#include "host/chip/point_plan.h"
#include "host/config/keys.h"
#include "host/config/points.h"
#include "host/config/write.h"
#include "host/results/store.h"
#include "host/run/calibration.h"
#include "host/run/monte_carlo.h"
#include "host/run/progress.h"
#include "host/run/workload.h"
#include "host/statistics/statistics.h"
#include "host/util/output.h"
#include "host/util/sha256.h"
#include "host/util/version.h"
#include "kernels/base/error.h"

namespace mho {
namespace {

/// What of a config decides how a chip comes out, as TOML. Not how many chips are asked for, how wide their
/// interval may be or how many images are in flight; nor where the network and the images lie, whose contents
/// are compared by their SHA-256.
std::string deciding_config(Config config) {
    const MonteCarloConfig any;
    config.monte_carlo.chips = any.chips;
    config.monte_carlo.until = any.until;
    config.monte_carlo.confidence = any.confidence;
    config.monte_carlo.batch = any.batch;
    config.model.file.clear();
    config.data.directory.clear();
    return to_toml(config);
}

/// SHA-256 of the first `count` images of `store` as they enter `program`.
std::string images_sha256(const Program& program, const ImageStore& store, int64_t count) {
    const TensorId input = program.plan().inputs[0];
    std::vector<float> values(static_cast<size_t>(program.plan().elements(input, 1)));
    const auto stream = program.make_stream(1);
    std::string digests;
    for (int64_t i = 0; i < count; ++i) {
        stream->load(store, i, 1);
        stream->read(input, values);
        digests += sha256_hex({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
    }
    return sha256_hex(digests);
}

/// One job of the run: a sweep point, whole or with one layer noisy alone.
struct Job {
    PointLabel label;
    Config config;
    std::string only_layer;
};

class Sweep {
    using Clock = std::chrono::steady_clock;

  public:
    Sweep(const Devices& devices, const Config& config, const SweepOptions& options)
        : devices_(devices),
          config_(config),
          options_(options),
          workload_(devices, config),
          working_(devices.size()) {
        std::iota(working_.begin(), working_.end(), size_t{0});
        const std::vector<SweepPoint> points = sweep_points(config_);
        check_points(config_, points, workload_.network());
        make_jobs(points);
    }

    RunResult run() {
        const Plan digital_plan =
            lower_digital(prepare_network(workload_.network(), config_), config_.monte_carlo.precision);
        Store store =
            Store::create(options_.out, run_info(*devices_[0]->load(digital_plan)), options_.resume);
        write_file(options_.out, "config.toml", to_toml(config_));
        std::vector<PointLabel> labels;
        for (const Job& job : jobs_) labels.push_back(job.label);
        store.set_points(labels);

        int64_t done = 0;
        for (size_t j = 0; j < jobs_.size(); ++j)
            done += static_cast<int64_t>(store.chips(static_cast<int64_t>(j)).size());
        const int64_t all = static_cast<int64_t>(jobs_.size()) * config_.monte_carlo.chips;
        Progress progress = stderr_progress(
            {all, done, workload_.test_count(), config_.monte_carlo.confidence}, options_.quiet);
        if (!store.digital()) {
            progress.note("digital baseline");
            if (const std::optional<Outcome> baseline = run_digital(digital_plan, progress))
                store.set_digital(*baseline);
        }
        chip_began_ = Clock::now();
        for (size_t j = 0; j < jobs_.size() && !stopped(); ++j)
            run_job(static_cast<int64_t>(j), store, progress);
        return store.result();
    }

  private:
    bool stopped() const { return options_.stop && options_.stop->load(); }

    void make_jobs(const std::vector<SweepPoint>& points) {
        for (const SweepPoint& point : points) {
            PointLabel label;
            for (const auto& [key, value] : point.set) label.set.emplace_back(key, to_string(value));
            if (options_.per_layer) label.set.emplace_back("layer", "\"all\"");
            jobs_.push_back({label, point.config, ""});
            if (!options_.per_layer) continue;
            for (const std::string& name :
                 analog_layers(point.config, prepare_network(workload_.network(), point.config))) {
                label.set.back().second = to_string(ConfigValue{name});
                jobs_.push_back({label, point.config, name});
            }
        }
    }

    RunInfo run_info(const Program& digital) {
        RunInfo info;
        info.version = kVersion;
        info.config_toml = to_toml(config_);
        info.config_sha256 = sha256_hex(info.config_toml);
        info.deciding_config = deciding_config(config_);
        info.per_layer = options_.per_layer;
        info.network_file = config_.model.file;
        info.network_sha256 = sha256_hex_of_file(workload_.network_file());
        info.network_parameters = workload_.network().parameters();
        info.data_name = config_.data.name;
        info.data_sha256 = data_sha256(digital);
        info.images = workload_.test_count();
        info.chips = config_.monte_carlo.chips;
        info.until = config_.monte_carlo.until;
        info.confidence = config_.monte_carlo.confidence;
        info.backend = devices_[0]->name();
        info.precision = std::get<std::string>(value_of(*find_key("monte_carlo.precision"), config_));
        info.command = options_.command;
        return info;
    }

    /// Of what the chips are tried on: test images and labels, and calibration images where a point has any.
    std::string data_sha256(const Program& digital) {
        std::string digests = images_sha256(digital, workload_.test_images(), workload_.test_count());
        for (int32_t label : workload_.test_labels()) digests += fmt::format(" {}", label);
        if (std::any_of(jobs_.begin(), jobs_.end(), [](const Job& job) { return calibrates(job.config); })) {
            workload_.read_calibration_images();
            const CalibrationRun run = workload_.calibration_run(options_.threads);
            digests += " " + images_sha256(digital, run.images, run.count);
        }
        return sha256_hex(digests);
    }

    /// A point's plan on one device.
    struct Loaded {
        size_t device;
        std::unique_ptr<Program> program;
    };
    using Programs = std::vector<Loaded>;  // never empty

    /// Goes on without a device. Throws `error` where there is no other.
    void give_up(size_t device, const DeviceError& error, Progress& progress) {
        std::erase(working_, device);
        if (working_.empty()) throw error;
        progress.note(fmt::format("{}; the run goes on without it", error.what()));
    }

    Programs load_everywhere(const Plan& plan, Progress& progress) {
        Programs programs;
        for (size_t d : std::vector<size_t>(working_)) {
            try {
                programs.push_back({d, devices_[d]->load(plan)});
            } catch (const DeviceError& error) {
                give_up(d, error, progress);
            }
        }
        return programs;
    }

    /// On the first device; one that fails at it leaves `programs`.
    Calibration calibrated(Programs& programs, Progress& progress) {
        for (;;) {
            const Loaded& on = programs[0];
            try {
                return calibrate(*on.program, workload_.calibration_run(options_.threads, on.device));
            } catch (const DeviceError& error) {
                give_up(on.device, error, progress);
                programs.erase(programs.begin());
            }
        }
    }

    Workers workers(const Config& config, Progress& progress) const {
        return {options_.threads,
                config.monte_carlo.batch,
                options_.stop,
                {},
                [&progress](const std::string& text) { progress.note(text); }};
    }

    MonteCarlo chips_of(const Programs& programs, Calibration calibration, Workers crew, int64_t seed,
                        ChipCalibrator calibrator = {}) const {
        std::vector<DeviceShare> shares;
        for (const Loaded& on : programs) shares.push_back({*on.program, workload_.test_images(on.device)});
        return {std::move(shares), workload_.test_count(),      std::move(calibration),
                std::move(crew),   static_cast<uint64_t>(seed), std::move(calibrator)};
    }

    std::optional<Outcome> run_digital(const Plan& plan, Progress& progress) {
        const Programs programs = load_everywhere(plan, progress);
        const std::optional<Score> s = chips_of(programs, {}, workers(config_, progress), 0).nominal();
        if (!s) return std::nullopt;
        return outcome(*s);
    }

    /// Chip numbers still to run up to the next place where the point may stop.
    std::vector<uint32_t> next_chips(const std::map<int64_t, ChipResult>& finished) const {
        const int64_t limit = config_.monte_carlo.chips;
        int64_t end = limit;
        if (config_.monte_carlo.until > 0) {
            // Whole checkpoints, counted from the first chip: a resumed run stops where an uninterrupted one
            // does.
            int64_t complete = 0;
            while (finished.contains(complete)) ++complete;
            end = std::min(limit, is_checkpoint(complete) && narrow_enough(finished, complete)
                                      ? complete
                                      : next_checkpoint(complete));
        }
        std::vector<uint32_t> chips;
        for (int64_t c = 0; c < end; ++c)
            if (!finished.contains(c)) chips.push_back(static_cast<uint32_t>(c));
        return chips;
    }

    bool narrow_enough(const std::map<int64_t, ChipResult>& finished, int64_t chips) const {
        std::vector<double> top1;
        for (int64_t c = 0; c < chips; ++c) top1.push_back(finished.at(c).top1_fraction());
        const Summary s = summarise(top1, config_.monte_carlo.confidence);
        return s.mean_interval && s.mean_interval->high - s.mean <= config_.monte_carlo.until;
    }

    void run_job(int64_t index, Store& store, Progress& progress) {
        const Job& job = jobs_[static_cast<size_t>(index)];
        std::map<int64_t, ChipResult> finished;
        std::vector<double> top1;
        for (const ChipResult& chip : store.chips(index)) {
            finished[chip.chip] = chip;
            top1.push_back(chip.top1_fraction());
        }
        std::vector<std::string> words;
        for (const auto& [key, value] : job.label.set) words.push_back(key + " = " + value);
        progress.begin_point(fmt::format("{}", fmt::join(words, ", ")), top1);
        std::vector<uint32_t> chips = next_chips(finished);
        if (!chips.empty()) run_chips(job, index, chips, finished, store, progress);
        progress.end_point(stopped() ? 0 : config_.monte_carlo.chips - static_cast<int64_t>(finished.size()));
    }

    void run_chips(const Job& job, int64_t index, std::vector<uint32_t> chips,
                   std::map<int64_t, ChipResult>& finished, Store& store, Progress& progress) {
        const NumberedGraph network = prepare_network(workload_.network(), job.config);
        Programs programs =
            load_everywhere(lower(network, lowering_options(job.config, network, job.only_layer)), progress);
        const bool on_chips = calibrates_on_chips(programs[0].program->plan());
        Calibration calibration;
        if (needs_calibration(programs[0].program->plan())) {
            workload_.read_calibration_images();
            calibration = calibrated(programs, progress);
        }
        ChipCalibrator calibrator;
        if (on_chips)
            calibrator = [&](size_t share, const ChipAddress& address) {
                const Loaded& on = programs[share];
                return calibrate_chip(*on.program, calibration, address,
                                      workload_.calibration_run(1, on.device));
            };
        Workers crew = workers(job.config, progress);
        crew.images_read = [&](int64_t images) { progress.add_images(images); };
        MonteCarlo chips_of_point =
            chips_of(programs, calibration, crew, job.config.monte_carlo.seed, calibrator);
        while (!chips.empty() && !stopped()) {
            chips_of_point.run(chips, [&](const ChipOutcome& outcome) {
                const ChipResult chip = chip_result(outcome);
                store.add(index, chip);
                finished[chip.chip] = chip;
                progress.add_chip(chip.top1_fraction());
            });
            chips = next_chips(finished);
        }
    }

    static Outcome outcome(const Score& s) { return {s.images, s.top1, s.top5, s.loss}; }

    ChipResult chip_result(const ChipOutcome& o) {
        const Clock::time_point before = std::exchange(chip_began_, Clock::now());
        const double seconds = std::chrono::duration<double>(chip_began_ - before).count();
        return {outcome(o.score),     o.chip,
                o.report.cells,       o.report.clipped_cells,
                o.report.stuck_cells, o.programming_seconds,
                o.reading_seconds,    seconds};
    }

    const Devices& devices_;
    const Config& config_;
    const SweepOptions& options_;
    Workload workload_;
    std::vector<size_t> working_;  // devices
    std::vector<Job> jobs_;
    Clock::time_point chip_began_;  ///< when the chip before was finished
};

}  // namespace

RunResult run_sweep(const Devices& devices, const Config& config, const SweepOptions& options) {
    return Sweep(devices, config, options).run();
}

}  // namespace mho
