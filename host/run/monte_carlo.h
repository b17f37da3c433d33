// host/run/monte_carlo.h - many chips of one program over the same test images. Threads go over chips first,
// then over the images of one chip; either way a chip's score is the same sum of integers. Where there are
// several devices, chips are spread over all of them, and go to the others where one stops working.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace mho {

/// One device with what every chip on it needs.
struct DeviceShare {
    const Program& program;
    const ImageStore& images;  ///< test images with their labels
};

/// How a run uses the machine.
struct Workers {
    int threads = 1;                          ///< a device
    int64_t batch = 32;                       ///< images a stream
    const std::atomic<bool>* stop = nullptr;  ///< set by Ctrl-C: no chip is finished after it
    /// Told how many images were read, after each batch, from any thread at any time. May be empty.
    std::function<void(int64_t)> images_read;
    /// Told what the user should know: a smaller batch, a device that stopped working. May be empty.
    std::function<void(const std::string&)> note;
};

/// One finished chip.
struct ChipOutcome {
    uint32_t chip = 0;
    Score score;
    ProgrammingReport report;
    /// Time of the threads that worked on it: programming (and calibrating) it, and reading its images.
    double programming_seconds = 0, reading_seconds = 0;
};

/// Makes, on one of the devices (by its place among those given), the calibration of a chip whose ranges are
/// measured on itself (calibrate = "chip"); else empty.
using ChipCalibrator = std::function<Calibration(size_t device, const ChipAddress&)>;

class MonteCarlo {
  public:
    /// `images`: how many of the test images chips are tried on. All devices hold the same plan and images.
    MonteCarlo(std::vector<DeviceShare> devices, int64_t images, Calibration calibration, Workers workers,
               uint64_t seed, ChipCalibrator calibrator = {});

    /// Scores `chips`; `finished` is called once a chip, never from two threads at a time, in no fixed order.
    /// Returns early, without the chips in flight, once the stop flag is set. Rethrows the first failure;
    /// that of a device only where no device is left.
    void run(std::span<const uint32_t> chips, const std::function<void(const ChipOutcome&)>& finished);

    /// The score of the nominal chip: what the same plan does without any error. Nothing once the stop flag
    /// is set: part of the images would be another score.
    std::optional<Score> nominal();

  private:
    struct Worker {
        size_t device;
        std::unique_ptr<Chip> chip;
        std::unique_ptr<Stream> stream;
    };

    bool stopped() const { return workers_.stop && workers_.stop->load(); }
    const Program& program_of(const Worker& worker) const { return devices_[worker.device].program; }
    std::vector<Worker*> working();
    void retire(const Worker& worker, const std::string& why);

    void program(Worker& worker, const ChipAddress& address) const;
    Score score_batches(const Chip& chip, Worker& worker, std::atomic<int64_t>& next) const;
    ChipOutcome run_alone(Worker& worker, uint32_t chip) const;
    void run_apart(std::deque<uint32_t>& left, const std::function<void(const ChipOutcome&)>& finished);
    std::optional<ChipOutcome> run_together(const ChipAddress& address);
    std::vector<const Chip*> program_everywhere(const std::vector<Worker*>& crew, const ChipAddress& address);

    std::vector<DeviceShare> devices_;
    int64_t images_;
    Calibration calibration_;
    Workers workers_;
    uint64_t seed_;
    ChipCalibrator calibrator_;
    std::vector<Worker> crew_;
    std::mutex mutex_;                 // of what follows, and of calls to `finished`
    std::vector<std::string> failed_;  // by device: why it stopped working; empty: it works
};

}  // namespace mho
