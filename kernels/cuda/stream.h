// kernels/cuda/stream.h - the activations of one batch on a GPU, and the walk over a plan's steps.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cuda/batch_graph.h"
#include "kernels/cuda/program.h"
#include "kernels/memory_plan.h"

namespace mho::cuda {

struct CudaImages : ImageStore {
    using ImageStore::ImageStore;
    DeviceBuffer<float> resident;  ///< all of them, where they fit beside what a run needs
    std::vector<float> on_host;    ///< else, to be copied batch by batch
    DeviceBuffer<int32_t> labels;
};

class CudaStream : public Stream {
  public:
    CudaStream(const CudaProgram& program, int64_t max_images, bool keep_all);
    /// Device memory that a stream takes, about: libraries may ask for less.
    static int64_t bytes(const CudaProgram& program, int64_t max_images);

    void write(int input, std::span<const float> values, int64_t first, int64_t count) override;
    void run(const Chip& chip, int begin, int end) override;
    void wait() const override;
    bool is_asynchronous() const override { return true; }
    void read(TensorId tensor, std::span<float> out) const override;
    void add_score() override;
    Score take_score() override;
    InputHistogram measure_input(TensorId tensor) const override;
    ColumnHistograms measure_columns(const Chip& chip, int step) const override;
    CrossbarTrace trace(const Chip& chip, int step, int64_t image) const override;

  private:
    struct Call;  // one step on one chip

    float* at(TensorId tensor) const { return memory_.data() + layout_.offset[static_cast<size_t>(tensor)]; }
    Dims dims(TensorId tensor) const;
    int64_t elements(TensorId tensor) const { return plan_.elements(tensor, images_); }
    bool is_per_image(const Step& step) const {
        return plan_.tensors[static_cast<size_t>(step.output)].per_image;
    }
    void load_images(const ImageStore& store, std::span<const int64_t> indices) override;
    void begin_batch(std::span<const int64_t> indices);
    /// Images of a batch that lie on the host: through pinned memory, two batches in turn.
    void load_from_host(const std::vector<float>& images, std::span<const int64_t> indices);
    void launch_steps(const CudaChip& chip, int begin, int end);
    DeviceProduct& product(int step);
    void read_columns(const CrossbarTables& tables, const CrossbarLaunch& launch, CrossbarParams params,
                      int64_t vectors) const;
    /// Encodes what reaches a crossbar step, and the parameters to read it with.
    CrossbarParams encoded(const CrossbarOnChip& crossbar, const Step& step) const;
    int64_t vectors(const CrossbarOnChip& crossbar, const Step& step) const;

    const CudaProgram& program_;
    const Plan& plan_;
    int64_t max_images_;
    MemoryPlan layout_;
    std::unique_ptr<Libraries> libraries_;
    DeviceBuffer<float> memory_;
    DeviceBuffer<std::byte> codes_, workspace_;
    DeviceBuffer<int64_t> indices_;  // of the batch's images in the split
    DeviceBuffer<DeviceScore> score_;
    int64_t images_ = 0, scored_images_ = 0;
    const int32_t* labels_ = nullptr;  // of all images that those loaded are from
    std::map<std::pair<int, int64_t>, std::unique_ptr<DeviceProduct>>
        products_;                          // by step and number of images
    std::map<int64_t, BatchGraph> graphs_;  // by number of images
    int64_t batches_ = 0;
    Event batch_done_[2];  // of the last two batches, in turn
    PinnedBuffer<int64_t> staged_indices_[2];
    std::unique_ptr<PinnedBuffer<float>> staging_[2];
    WorkQueue queue_;  // last: it is gone first, with all that still uses the memory above
};

}  // namespace mho::cuda
