// kernels/cpu/program.h - a plan loaded on the CPU, and what one chip draws for it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cpu/crossbar_chip.h"
#include "kernels/cpu/product.h"

namespace mho::cpu {

/// A layer whose Products share what oneDNN chose for the weights.
struct PackedSite : ProductSite {
    std::optional<dnnl::memory::desc> weight_format;
    std::shared_ptr<const PackedWeight> packed;  ///< where no chip perturbs the weight
};

class CpuProgram;

class CpuChip : public Chip {
  public:
    explicit CpuChip(const CpuProgram& program);
    const ProgrammingReport& report() const override { return report_; }

    std::vector<float> read_parameter(ParameterId id) const override {
        return {parameter(id).begin(), parameter(id).end()};
    }

    /// This chip's copy of a parameter, or the plan's own where it is not analog.
    std::span<const float> parameter(ParameterId id) const;
    const void* packed_weight(int site) const;
    const CrossbarChip& crossbar(int index) const { return crossbars_[static_cast<size_t>(index)]; }
    const Calibration& calibration() const { return calibration_; }

  private:
    friend class CpuProgram;

    const CpuProgram& program_;
    ProgrammingReport report_;
    std::optional<ChipAddress> address_;  // of what is sampled; none before the first programming
    Calibration calibration_;
    std::vector<std::vector<float>> perturbed_;  // by parameter; empty where it is not analog
    std::vector<PackedWeight> packed_;           // by site; empty where it is not analog
    std::vector<CrossbarChip> crossbars_;        // as Plan::crossbars
};

class CpuProgram : public Program {
  public:
    explicit CpuProgram(Plan plan);

    const Plan& plan() const override { return plan_; }
    std::unique_ptr<Chip> make_chip() const override;
    void program(Chip& chip, const ChipAddress& address, const Calibration& calibration) const override;
    std::unique_ptr<Stream> make_stream(int64_t max_images, bool keep_all) const override;
    int64_t fitting_batch(int64_t wanted, int streams) const override;

    /// Index of a step's product site, -1 for other steps.
    int site_of(int step) const { return site_of_step_[static_cast<size_t>(step)]; }
    const std::vector<PackedSite>& sites() const { return sites_; }

  private:
    void add_site(int step);
    void perturb_all(CpuChip& chip, const ChipAddress& address) const;
    void perturb(CpuChip& chip, ParameterId id, const ChipAddress& address) const;

    Plan plan_;
    std::vector<PackedSite> sites_;
    std::vector<int> site_of_step_;
};

}  // namespace mho::cpu
