#include "host/run/monte_carlo.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "host/util/threads.h"
#include "kernels/base/error.h"

namespace mho {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

MonteCarlo::MonteCarlo(std::vector<DeviceShare> devices, int64_t images, Calibration calibration,
                       Workers workers, uint64_t seed, ChipCalibrator calibrator)
    : devices_(std::move(devices)),
      images_(images),
      calibration_(std::move(calibration)),
      workers_(std::move(workers)),
      seed_(seed),
      calibrator_(std::move(calibrator)),
      failed_(devices_.size()) {
    const int threads = std::max(workers_.threads, 1);
    const int64_t asked = std::clamp<int64_t>(workers_.batch, 1, std::max<int64_t>(images_, 1));
    workers_.batch = asked;
    for (const DeviceShare& device : devices_)
        workers_.batch = device.program.fitting_batch(workers_.batch, threads);
    if (workers_.batch < asked && workers_.note)
        workers_.note(fmt::format("{} images at a time instead of {}: no more fit the memory that is free",
                                  workers_.batch, asked));
    for (int t = 0; t < threads; ++t)  // neighbours in the crew sit on different devices
        for (size_t d = 0; d < devices_.size(); ++d)
            crew_.push_back(
                {d, devices_[d].program.make_chip(), devices_[d].program.make_stream(workers_.batch)});
}

/// Those whose device works. Throws what the last one died of where there is none.
std::vector<MonteCarlo::Worker*> MonteCarlo::working() {
    std::vector<Worker*> crew;
    for (Worker& worker : crew_)
        if (failed_[worker.device].empty()) crew.push_back(&worker);
    if (crew.empty()) throw DeviceError(failed_.back());
    return crew;
}

void MonteCarlo::retire(const Worker& worker, const std::string& why) {
    const std::lock_guard lock(mutex_);
    std::string& failed = failed_[worker.device];
    if (!failed.empty()) return;
    failed = why;
    const bool any_works =
        std::any_of(failed_.begin(), failed_.end(), [](const auto& f) { return f.empty(); });
    if (any_works && workers_.note)
        workers_.note(fmt::format("{}; its chips go to the devices that still work", why));
}

void MonteCarlo::program(Worker& worker, const ChipAddress& address) const {
    const bool own_ranges = calibrator_ && !address.nominal;
    program_of(worker).program(*worker.chip, address,
                               own_ranges ? calibrator_(worker.device, address) : calibration_);
}

/// Takes batches from `next` until none is left.
Score MonteCarlo::score_batches(const Chip& chip, Worker& worker, std::atomic<int64_t>& next) const {
    const int steps = static_cast<int>(program_of(worker).plan().steps.size());
    Stream& stream = *worker.stream;
    for (;;) {
        const int64_t first = next.fetch_add(workers_.batch);
        if (first >= images_ || stopped()) return stream.take_score();
        const int64_t count = std::min(workers_.batch, images_ - first);
        stream.load(devices_[worker.device].images, first, count);
        const int together = stream.is_asynchronous() ? steps : 1;  // looked at between: whether to stop
        for (int step = 0; step < steps; step += together) {
            if (stopped()) return {};
            stream.run(chip, step, step + together);
        }
        stream.add_score();
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
    outcome.score = score_batches(*worker.chip, worker, next);
    outcome.reading_seconds = seconds_since(start);
    outcome.report = worker.chip->report();
    return outcome;
}

/// A chip of its own for every worker, for as many whole rounds as there are chips for; those of a device
/// that stops working come back into `left`.
void MonteCarlo::run_apart(std::deque<uint32_t>& left,
                           const std::function<void(const ChipOutcome&)>& finished) {
    const std::vector<Worker*> crew = working();
    const auto end = left.begin() + static_cast<int64_t>(left.size() / crew.size() * crew.size());
    const std::vector<uint32_t> chips(left.begin(), end);
    left.erase(left.begin(), end);
    std::atomic<size_t> next = 0;
    on_threads(static_cast<int>(crew.size()), [&](int thread) {
        Worker& worker = *crew[static_cast<size_t>(thread)];
        for (size_t i = next++; i < chips.size() && !stopped(); i = next++) {
            try {
                const ChipOutcome outcome = run_alone(worker, chips[i]);
                const std::lock_guard lock(mutex_);
                if (!stopped()) finished(outcome);
            } catch (const DeviceError& error) {
                retire(worker, error.what());
                const std::lock_guard lock(mutex_);
                left.push_back(chips[i]);
                return;
            }
        }
    });
    const std::lock_guard lock(mutex_);
    for (size_t i = next; i < chips.size(); ++i) left.push_back(chips[i]);  // every worker retired
}

/// The chip of every worker: one a device, programmed by its first worker. None where a device stopped
/// working.
std::vector<const Chip*> MonteCarlo::program_everywhere(const std::vector<Worker*>& crew,
                                                        const ChipAddress& address) {
    std::vector<Worker*> first(devices_.size());
    for (Worker* worker : crew)
        if (!first[worker->device]) first[worker->device] = worker;
    std::vector<const Chip*> chips;
    for (Worker* worker : crew) {
        Worker* const own = first[worker->device];
        chips.push_back(own->chip.get());
        if (worker != own) continue;
        try {
            program(*own, address);
        } catch (const DeviceError& error) {
            retire(*own, error.what());
            return {};
        }
    }
    return chips;
}

/// All threads on the images of one chip. Nothing where a device stopped working: its share of the images is
/// not known.
std::optional<ChipOutcome> MonteCarlo::run_together(const ChipAddress& address) {
    const std::vector<Worker*> crew = working();
    ChipOutcome outcome{address.chip};
    const auto start = Clock::now();
    const std::vector<const Chip*> chips = program_everywhere(crew, address);
    if (chips.empty()) return std::nullopt;
    outcome.programming_seconds = seconds_since(start);
    outcome.report = chips[0]->report();
    std::atomic<int64_t> next = 0;
    std::atomic<bool> complete = true;
    on_threads(static_cast<int>(crew.size()), [&](int thread) {
        const size_t t = static_cast<size_t>(thread);
        try {
            const auto reading = Clock::now();
            const Score part = score_batches(*chips[t], *crew[t], next);
            const std::lock_guard lock(mutex_);
            outcome.score += part;
            outcome.reading_seconds += seconds_since(reading);
        } catch (const DeviceError& error) {
            retire(*crew[t], error.what());
            complete = false;
        }
    });
    return complete ? std::optional(outcome) : std::nullopt;
}

void MonteCarlo::run(std::span<const uint32_t> chips,
                     const std::function<void(const ChipOutcome&)>& finished) {
    std::deque<uint32_t> left(chips.begin(), chips.end());
    while (!left.empty() && !stopped()) {
        if (left.size() >= working().size()) {
            run_apart(left, finished);
        } else if (const auto outcome = run_together({seed_, left.front(), false})) {
            left.pop_front();
            if (!stopped()) finished(*outcome);
        }
    }
}

std::optional<Score> MonteCarlo::nominal() {
    while (!stopped())
        if (const auto outcome = run_together({seed_, 0, true}))
            return stopped() ? std::nullopt : std::optional(outcome->score);
    return std::nullopt;
}

}  // namespace mho
