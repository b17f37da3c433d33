// kernels/backend.h - the one interface that every backend satisfies; tests/backend_contract.h says what it
// must do.
//
// A run loads a Plan into a Program. A Chip holds what one (seed, chip) draws for that program: perturbed
// parameters or conductances, converters. A Stream holds the activations of one batch and executes steps of
// the plan on a chip; activations stay where the backend keeps them until they are read. Programs are shared
// by threads; a Chip is written by one thread and then read by many; a Stream belongs to one thread. A
// Backend is one device; where one stops working its calls throw DeviceError, now or later.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/base/chip_address.h"
#include "kernels/crossbar/calibration.h"
#include "kernels/plan.h"

namespace mho {

/// What programming a chip reports.
struct ProgrammingReport {
    int64_t cells = 0;
    int64_t clipped_cells = 0;  ///< cells whose conductance was cut to [0, headroom g_max]
    int64_t stuck_cells = 0;
    int64_t write_verify_tries = 0;  ///< programming pulses over all cells; = cells without write-verify

    ProgrammingReport& operator+=(const ProgrammingReport& other) {
        cells += other.cells;
        clipped_cells += other.clipped_cells;
        stuck_cells += other.stuck_cells;
        write_verify_tries += other.write_verify_tries;
        return *this;
    }
};

/// Sums over the images of one batch, exact and independent of the order in which batches are added: the loss
/// is a sum of per-image losses rounded to multiples of 2^-20 (kernels/steps/loss.h).
struct Score {
    int64_t images = 0;
    int64_t top1 = 0;  ///< the label has the largest logit; of equal logits the lower class wins
    int64_t top5 = 0;
    int64_t loss = 0;  ///< sum of -log softmax[label], in units of 2^-20

    Score& operator+=(const Score& other);
    bool operator==(const Score&) const = default;
};

class Chip {
  public:
    virtual ~Chip() = default;
    virtual const ProgrammingReport& report() const = 0;
    /// A copy of a plan parameter as this chip holds it: perturbed where it is analog.
    virtual std::vector<float> read_parameter(ParameterId id) const = 0;
};

/// Images, and their labels where they have any, held where the backend wants them: given once a run.
class ImageStore {
  public:
    explicit ImageStore(int64_t images) : images_(images) {}
    virtual ~ImageStore() = default;
    int64_t images() const { return images_; }

  private:
    int64_t images_;
};

class Stream {
  public:
    virtual ~Stream() = default;

    /// Puts images of `store` into plan input 0, in the order of `indices`, which may name one twice. An
    /// index is the image's place in the split: it keys read noise, so an image is read with the same bits
    /// in whatever batch it is. No more than the stream's capacity. Throws std::out_of_range for an index
    /// that the store does not have.
    void load(const ImageStore& store, std::span<const int64_t> indices);
    /// Images [first, first + count).
    void load(const ImageStore& store, int64_t first, int64_t count);
    /// Puts `count` images (or the whole of a value that is not per_image) into plan input `input`, from host
    /// memory, as images [first, first + count) of a split.
    virtual void write(int input, std::span<const float> values, int64_t first, int64_t count) = 0;
    /// Executes plan steps [begin, end) on `chip`, with the ranges that the chip was programmed with. May
    /// return before they are done: the calls below that return something wait, and so does wait().
    virtual void run(const Chip& chip, int begin, int end) = 0;
    /// Returns when nothing is under way: before a chip that this stream ran on is programmed anew.
    virtual void wait() const = 0;
    /// Copies an activation out. It is valid if no later step run so far has taken its memory: streams made
    /// with keep_all keep every one.
    virtual void read(TensorId tensor, std::span<float> out) const = 0;
    /// Scores plan output 0 of the images loaded against their labels, and adds that to what take_score()
    /// returns.
    virtual void add_score() = 0;
    /// All scores added since this was last called.
    virtual Score take_score() = 0;

    /// Extremes and histogram of the tensor that feeds a crossbar or quantiser: what calibration measures.
    virtual InputHistogram measure_input(TensorId tensor) const = 0;
    /// Histograms of the column sums of crossbar step `step` for the images loaded, on `chip`.
    virtual ColumnHistograms measure_columns(const Chip& chip, int step) const = 0;
    /// Everything inside crossbar step `step` for image `image` of the batch: for `mho probe` and the oracle.
    virtual CrossbarTrace trace(const Chip& chip, int step, int64_t image) const = 0;
    /// Whether run() returns before its steps are done: then they are best handed over together.
    virtual bool is_asynchronous() const { return false; }

  protected:
    /// first, first + 1, ...: `count` of them, until the next call.
    std::span<const int64_t> consecutive(int64_t first, int64_t count);
    /// load(), of images that are there.
    virtual void load_images(const ImageStore& store, std::span<const int64_t> indices) = 0;

  private:
    std::vector<int64_t> consecutive_;  // of load(first, count): no memory is taken a batch
};

class Program {
  public:
    virtual ~Program() = default;
    virtual const Plan& plan() const = 0;
    virtual std::unique_ptr<Chip> make_chip() const = 0;
    /// Samples all devices and converters of one chip into `chip`, with the input and converter ranges of
    /// `calibration`. Every call with equal arguments leaves equal bits.
    virtual void program(Chip& chip, const ChipAddress& address, const Calibration& calibration) const = 0;
    /// keep_all: every activation keeps memory of its own (probe).
    virtual std::unique_ptr<Stream> make_stream(int64_t max_images, bool keep_all = false) const = 0;
    /// The largest of `wanted`, half of it, a quarter, ... images a stream with which so many streams and
    /// chips fit the memory that is free now. Throws std::bad_alloc where one image does not.
    virtual int64_t fitting_batch(int64_t wanted, int streams) const = 0;
};

class Backend {
  public:
    virtual ~Backend() = default;
    virtual std::string name() const = 0;         ///< "cpu", "cuda"
    virtual std::string description() const = 0;  ///< the device and what of it is used, one line
    /// Throws InputError where the plan holds something that this backend cannot do, naming the step and why.
    virtual std::unique_ptr<Program> load(Plan plan) const = 0;
    /// values: images x elements_per_image, already normalised. labels: one an image, or none.
    virtual std::unique_ptr<ImageStore> upload(std::vector<float> values, std::vector<int32_t> labels,
                                               int64_t images) const = 0;
    /// How many streams, each on a host thread of its own, keep the device busy.
    virtual int busy_streams() const = 0;
};

/// The embedded default, always there.
std::unique_ptr<Backend> make_cpu_backend();

}  // namespace mho
