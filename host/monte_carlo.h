// host/monte_carlo.h - many chips of one program over the same test images. Threads go over chips first, then
// over the images of one chip; either way a chip's score is the same sum of integers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernels/backend.h"

namespace mho {

/// The images that every chip is tried on.
struct TestImages {
    const ImageStore& store;
    std::span<const int32_t> labels;  ///< one an image; their number is the number of images
};

/// How a run uses the machine.
struct Workers {
    int threads = 1;
    int64_t batch = 32;                       ///< images a stream
    const std::atomic<bool>* stop = nullptr;  ///< set by Ctrl-C: no chip is finished after it
    /// Told how many images were read, after each batch, from any thread at any time. May be empty.
    std::function<void(int64_t)> images_read;
};

/// One finished chip.
struct ChipOutcome {
    uint32_t chip = 0;
    Score score;
    ProgrammingReport report;
    /// Time of the threads that worked on it: programming (and calibrating) it, and reading its images.
    double programming_seconds = 0, reading_seconds = 0;
};

/// Makes the calibration of one chip where its ranges are measured on itself (calibrate = "chip"); else
/// empty.
using ChipCalibrator = std::function<Calibration(const ChipAddress&)>;

class MonteCarlo {
  public:
    MonteCarlo(const Program& program, Calibration calibration, TestImages images, Workers workers,
               uint64_t seed, ChipCalibrator calibrator = {});

    /// Scores `chips`; `finished` is called once a chip, never from two threads at a time, in no fixed order.
    /// Returns early, without the chips in flight, once the stop flag is set. Rethrows the first failure.
    void run(std::span<const uint32_t> chips, const std::function<void(const ChipOutcome&)>& finished);

    /// The score of the nominal chip: what the same plan does without any error. Nothing once the stop flag
    /// is set: part of the images would be another score.
    std::optional<Score> nominal();

  private:
    struct Worker {
        std::unique_ptr<Chip> chip;
        std::unique_ptr<Stream> stream;
    };

    void program(Worker& worker, const ChipAddress& address) const;
    bool stopped() const { return workers_.stop && workers_.stop->load(); }
    Score score_batches(const Chip& chip, Stream& stream, std::atomic<int64_t>& next) const;
    ChipOutcome run_alone(Worker& worker, uint32_t chip) const;
    ChipOutcome run_together(const ChipAddress& address);

    const Program& program_;
    Calibration calibration_;
    TestImages images_;
    Workers workers_;
    uint64_t seed_;
    ChipCalibrator calibrator_;
    std::vector<Worker> crew_;
};

}  // namespace mho
