// kernels/cuda/program.h - a plan loaded on one GPU, and what one chip draws for it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cuda/crossbar_tables.h"
#include "kernels/cuda/libraries.h"
#include "kernels/cuda/memory.h"

namespace mho::cuda {

/// What of a GPU the project needs to know.
struct Gpu {
    int number = 0;
    size_t shared_bytes = 0;  ///< that a block can have

    /// Makes this GPU the one that the calling thread's next calls mean.
    void use() const { check(cudaSetDevice(number), "choosing a GPU"); }
};

class CudaProgram;

class CudaChip : public Chip {
  public:
    explicit CudaChip(const CudaProgram& program);
    const ProgrammingReport& report() const override { return report_; }
    std::vector<float> read_parameter(ParameterId id) const override;

    /// On the device: perturbed where it is analog.
    const float* parameter(ParameterId id) const;
    const CrossbarOnChip& crossbar(int index) const { return crossbars_[static_cast<size_t>(index)]; }
    const Calibration& calibration() const { return calibration_; }
    /// Another number each time that the chip is programmed: what was recorded on it before is stale.
    uint64_t programming() const { return programming_; }

  private:
    friend class CudaProgram;

    const CudaProgram& program_;
    WorkQueue queue_;
    uint64_t programming_ = 0;
    ProgrammingReport report_;
    std::optional<ChipAddress> address_;
    Calibration calibration_;
    std::vector<DeviceBuffer<float>> perturbed_;  // by parameter; empty where it is not analog
    std::vector<CrossbarOnChip> crossbars_;
};

class CudaProgram : public Program {
  public:
    CudaProgram(Plan plan, const Gpu& gpu);

    const Plan& plan() const override { return plan_; }
    std::unique_ptr<Chip> make_chip() const override;
    void program(Chip& chip, const ChipAddress& address, const Calibration& calibration) const override;
    std::unique_ptr<Stream> make_stream(int64_t max_images, bool keep_all) const override;
    int64_t fitting_batch(int64_t wanted, int streams) const override;

    const Gpu& gpu() const { return gpu_; }
    /// The plan's own values, in the order that DeviceProduct wants.
    const float* parameter(ParameterId id) const { return parameters_[static_cast<size_t>(id)].data(); }
    WeightOrder order(ParameterId id) const { return orders_[static_cast<size_t>(id)]; }
    const std::optional<ProductSite>& site(int step) const { return sites_[static_cast<size_t>(step)]; }
    const std::vector<std::unique_ptr<CrossbarTables>>& crossbars() const { return crossbars_; }
    /// Most codes that a crossbar layer reads of one image.
    int64_t most_codes() const;
    const int64_t* indices(int step) const { return indices_[static_cast<size_t>(step)].data(); }

  private:
    void load_parameters();
    void load_step(const Step& step);
    void perturb(CudaChip& chip, ParameterId id, const ChipAddress& address) const;

    Plan plan_;
    Gpu gpu_;
    WorkQueue queue_;
    std::vector<WeightOrder> orders_;
    std::vector<DeviceBuffer<float>> values_;      // as in the plan, for what is perturbed
    std::vector<DeviceBuffer<float>> parameters_;  // in order
    std::vector<std::optional<ProductSite>> sites_;
    std::vector<DeviceBuffer<int64_t>> indices_;  // of Gather steps
    std::vector<std::unique_ptr<CrossbarTables>> crossbars_;
};

}  // namespace mho::cuda
