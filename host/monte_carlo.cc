#include "host/monte_carlo.h"

#include <algorithm>
#include <chrono>
#include <mutex>

#include "host/threads.h"

namespace mho {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

MonteCarlo::MonteCarlo(const Program& program, Calibration calibration, TestImages images, Workers workers,
                       uint64_t seed, ChipCalibrator calibrator)
    : program_(program),
      calibration_(std::move(calibration)),
      images_(images),
      workers_(std::move(workers)),
      seed_(seed),
      calibrator_(std::move(calibrator)),
      crew_(static_cast<size_t>(std::max(workers_.threads, 1))) {
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
        if (workers_.images_read) workers_.images_read(count);
    }
}

ChipOutcome MonteCarlo::run_alone(Worker& worker, uint32_t chip) const {
    ChipOutcome outcome{chip};
    auto start = Clock::now();
    program(worker, {seed_, chip, false});
    outcome.programming_seconds = seconds_since(start);
    start = Clock::now();
    std::atomic<int64_t> next = 0;
    outcome.score = score_batches(*worker.chip, *worker.stream, next);
    outcome.reading_seconds = seconds_since(start);
    outcome.report = worker.chip->report();
    return outcome;
}

/// All threads on the images of one chip.
ChipOutcome MonteCarlo::run_together(const ChipAddress& address) {
    ChipOutcome outcome{address.chip};
    const auto start = Clock::now();
    program(crew_[0], address);
    outcome.programming_seconds = seconds_since(start);
    const Chip& chip = *crew_[0].chip;
    outcome.report = chip.report();
    std::atomic<int64_t> next = 0;
    std::mutex mutex;
    on_threads(static_cast<int>(crew_.size()), [&](int thread) {
        const auto reading = Clock::now();
        const Score part = score_batches(chip, *crew_[static_cast<size_t>(thread)].stream, next);
        const std::lock_guard lock(mutex);
        outcome.score += part;
        outcome.reading_seconds += seconds_since(reading);
    });
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
