#include "host/monte_carlo.h"

#include <algorithm>
#include <chrono>
#include <mutex>

#include "host/threads.h"

namespace mho {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

MonteCarlo::MonteCarlo(const Program& program, Calibration calibration, TestImages images, Workers workers,
                       uint64_t seed, ChipCalibrator calibrator)
    : program_(program),
      calibration_(std::move(calibration)),
      images_(images),
      workers_(workers),
      seed_(seed),
      calibrator_(std::move(calibrator)),
      crew_(static_cast<size_t>(std::max(workers.threads, 1))) {
    const int64_t count = static_cast<int64_t>(images_.labels.size());
    workers_.batch = std::clamp<int64_t>(workers_.batch, 1, std::max<int64_t>(count, 1));
    for (Worker& worker : crew_) {
        worker.chip = program_.make_chip();
        worker.stream = program_.make_stream(workers_.batch);
    }
}

void MonteCarlo::program(Worker& worker, const ChipAddress& address) const {
    if (calibrator_ && !address.nominal)
        program_.program(*worker.chip, address, calibrator_(address));
    else
        program_.program(*worker.chip, address, calibration_);
}

/// Takes batches from `next` until none is left.
Score MonteCarlo::score_batches(const Chip& chip, Stream& stream, std::atomic<int64_t>& next) const {
    const int64_t images = static_cast<int64_t>(images_.labels.size());
    const int steps = static_cast<int>(program_.plan().steps.size());
    Score score;
    for (;;) {
        const int64_t first = next.fetch_add(workers_.batch);
        if (first >= images || stopped()) return score;
        const int64_t count = std::min(workers_.batch, images - first);
        stream.load(images_.store, first, count);
        stream.run(chip, 0, steps);
        score += stream.score(images_.labels.subspan(static_cast<size_t>(first), static_cast<size_t>(count)));
    }
}

ChipOutcome MonteCarlo::run_alone(Worker& worker, uint32_t chip) const {
    const auto start = std::chrono::steady_clock::now();
    program(worker, {seed_, chip, false});
    std::atomic<int64_t> next = 0;
    ChipOutcome outcome{chip, score_batches(*worker.chip, *worker.stream, next), worker.chip->report(), 0};
    outcome.seconds = seconds_since(start);
    return outcome;
}

/// All threads on the images of one chip.
ChipOutcome MonteCarlo::run_together(const ChipAddress& address) {
    const auto start = std::chrono::steady_clock::now();
    program(crew_[0], address);
    const Chip& chip = *crew_[0].chip;
    std::atomic<int64_t> next = 0;
    std::vector<Score> parts(crew_.size());
    on_threads(static_cast<int>(crew_.size()), [&](int thread) {
        const size_t t = static_cast<size_t>(thread);
        parts[t] = score_batches(chip, *crew_[t].stream, next);
    });
    ChipOutcome outcome{address.chip, {}, chip.report(), 0};
    for (const Score& part : parts) outcome.score += part;
    outcome.seconds = seconds_since(start);
    return outcome;
}

void MonteCarlo::run(std::span<const uint32_t> chips,
                     const std::function<void(const ChipOutcome&)>& finished) {
    // Whole rounds keep every thread on a chip of its own; what is left over shares the threads.
    const size_t alone = chips.size() / crew_.size() * crew_.size();
    std::atomic<size_t> next = 0;
    std::mutex mutex;
    on_threads(static_cast<int>(crew_.size()), [&](int thread) {
        for (;;) {
            const size_t i = next.fetch_add(1);
            if (i >= alone || stopped()) return;
            const ChipOutcome outcome = run_alone(crew_[static_cast<size_t>(thread)], chips[i]);
            const std::lock_guard lock(mutex);
            if (!stopped()) finished(outcome);
        }
    });
    for (size_t i = alone; i < chips.size() && !stopped(); ++i) {
        const ChipOutcome outcome = run_together({seed_, chips[i], false});
        if (!stopped()) finished(outcome);
    }
}

std::optional<Score> MonteCarlo::nominal() {
    const Score score = run_together({seed_, 0, true}).score;
    return stopped() ? std::nullopt : std::optional(score);
}

}  // namespace mho
