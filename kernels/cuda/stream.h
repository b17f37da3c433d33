// kernels/cuda/stream.h - the activations of one batch on a GPU, and the walk over a plan's steps.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cuda/program.h"
#include "kernels/memory_plan.h"

namespace mho::cuda {

struct CudaImages : ImageStore {
    DeviceBuffer<float> values;
    int64_t images = 0;
};

class CudaStream : public Stream {
  public:
    CudaStream(const CudaProgram& program, int64_t max_images, bool keep_all);

    void load(const ImageStore& store, int64_t first, int64_t count) override;
    void write(int input, std::span<const float> values, int64_t first, int64_t count) override;
    void run(const Chip& chip, int begin, int end) override;
    void read(TensorId tensor, std::span<float> out) const override;
    Score score(std::span<const int32_t> labels) const override;
    InputHistogram measure_input(TensorId tensor) const override;
    ColumnHistograms measure_columns(const Chip& chip, int step) const override;
    CrossbarTrace trace(const Chip& chip, int step, int64_t image) const override;

  private:
    struct Call;  // one step on one chip

    float* at(TensorId tensor) const { return memory_.data() + layout_.offset[static_cast<size_t>(tensor)]; }
    Dims dims(TensorId tensor) const;
    int64_t elements(TensorId tensor) const { return plan_.elements(tensor, images_); }
    DeviceProduct& product(int step);
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
    DeviceBuffer<int32_t> labels_;
    int64_t first_image_ = 0, images_ = 0;
    std::map<std::pair<int, int64_t>, std::unique_ptr<DeviceProduct>>
        products_;     // by step and number of images
    WorkQueue queue_;  // last: it is gone first, with all that still uses the memory above
};

}  // namespace mho::cuda
