// kernels/cpu/stream.h - the activations of one batch, and the walk over a plan's steps.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cpu/crossbar_read.h"
#include "kernels/cpu/patches.h"
#include "kernels/cpu/program.h"
#include "kernels/memory_plan.h"

namespace mho::cpu {

struct CpuImages : ImageStore {
    using ImageStore::ImageStore;
    std::vector<float> values;
    std::vector<int32_t> labels;
};

class CpuStream : public Stream {
  public:
    CpuStream(const CpuProgram& program, int64_t max_images, bool keep_all);

    void write(int input, std::span<const float> values, int64_t first, int64_t count) override;
    void run(const Chip& chip, int begin, int end) override;
    void wait() const override {}
    void read(TensorId tensor, std::span<float> out) const override;
    void add_score() override;
    Score take_score() override { return std::exchange(score_, {}); }
    InputHistogram measure_input(TensorId tensor) const override;
    ColumnHistograms measure_columns(const Chip& chip, int step) const override;
    CrossbarTrace trace(const Chip& chip, int step, int64_t image) const override;

  private:
    struct Call;  // one step on one chip

    void load_images(const ImageStore& store, std::span<const int64_t> indices) override;
    void begin_batch(std::span<const int64_t> indices);

    float* at(TensorId tensor) { return memory_.data() + layout_.offset[static_cast<size_t>(tensor)]; }
    const float* at(TensorId tensor) const {
        return memory_.data() + layout_.offset[static_cast<size_t>(tensor)];
    }
    std::vector<int64_t> dims(TensorId tensor) const;
    int64_t elements(TensorId tensor) const { return plan_.elements(tensor, images_); }
    Product& product(int step);
    /// The codes that reach a crossbar step, for the images loaded.
    Patches encode(const CrossbarChip& chip, int step) const;
    /// `patches` of a crossbar step, with the images that they are of.
    CrossbarInput input(const Patches& patches, int step) const;

    const CpuProgram& program_;
    const Plan& plan_;
    int64_t max_images_;
    MemoryPlan layout_;
    std::vector<float> memory_;
    int64_t images_ = 0;            // of the batch
    std::vector<int64_t> indices_;  // theirs, in the split
    std::vector<int32_t> labels_;   // theirs; none where they have none
    Score score_;
    dnnl::stream stream_;
    std::map<std::pair<int, int64_t>, Product> products_;  // by step and number of images
    std::vector<std::byte> scratch_;
};

}  // namespace mho::cpu
