// kernels/cuda/crossbar_tables.h - what the GPU keeps of one crossbar layer: the same for every chip
// (CrossbarTables), and of one chip (CrossbarOnChip), for which nothing of a cell is kept.
#pragma once

#include <memory>
#include <optional>

#include "kernels/backend.h"
#include "kernels/crossbar/levels.h"
#include "kernels/cuda/crossbar_mvm_adc.h"
#include "kernels/cuda/memory.h"
#include "kernels/cuda/operations.h"
#include "kernels/cuda/program_cells.h"

namespace mho::cuda {

/// Shared by all chips of a program.
class CrossbarTables {
  public:
    /// x_dims, y_dims: of one image (or one set of rows of a linear layer).
    CrossbarTables(const CrossbarLayer& layer, const step::Crossbar& step, const Dims& x_dims,
                   const Dims& y_dims, const WorkQueue& queue);

    const CrossbarLayer& layer() const { return layer_; }
    /// `columns`: that a block reads, kMostColumns or half of it.
    const DeviceBuffer<ColumnChunk>& chunks(int columns) const {
        return columns == kMostColumns ? chunks_ : narrow_chunks_;
    }
    /// Vectors that one image makes, and codes that it holds.
    int64_t positions() const { return positions_; }
    int64_t codes() const { return codes_; }
    int64_t converters() const { return ranges_.size(); }
    /// Device memory that each chip takes for this layer, at most.
    int64_t bytes_a_chip() const {
        return converters() * (4 + params_.adc.numbers) * static_cast<int64_t>(sizeof(float)) +
               layer_.groups * layer_.outputs * static_cast<int64_t>(sizeof(OutputScale)) +
               (layer_.bias_rows > 0 ? target_.size() * 2 : 0);
    }

    const int16_t* target() const { return target_.data(); }
    const int32_t* row_begin() const { return row_begin_.data(); }
    const int32_t* range_of() const { return ranges_.data(); }
    ConverterTable converter_table() const { return {ranges_.data(), draws_.data(), ranges_.size()}; }
    /// Everything of CrossbarParams that no chip and no batch changes.
    CrossbarParams params() const { return params_; }

  private:
    const CrossbarLayer& layer_;
    int64_t positions_ = 0, codes_ = 0;
    DeviceBuffer<int16_t> target_;
    DeviceBuffer<int32_t> row_begin_, ranges_;
    DeviceBuffer<int64_t> draws_;
    DeviceBuffer<ColumnChunk> chunks_, narrow_chunks_;
    DeviceBuffer<RowTap> taps_;
    CrossbarParams params_;
};

/// One layer on one chip.
class CrossbarOnChip {
  public:
    CrossbarOnChip(const CrossbarTables& tables, size_t shared_bytes);

    /// Puts all that has to be done on `queue`. Cells are counted again only where the address or the bias
    /// levels changed.
    void program(const ChipAddress& address, const CrossbarCalibration& calibration, const WorkQueue& queue);
    /// Waits for what program() counted: report() and largest_sum() are right after it.
    void collect(const WorkQueue& queue);

    const ProgrammingReport& report() const { return report_; }
    const CrossbarCalibration& calibration() const { return calibration_; }
    const CrossbarTables& tables() const { return tables_; }
    CodePlan codes() const { return code_plan(tables_.layer().crossbar, calibration_.is_signed); }
    bool ideal_converters() const { return has_ideal_converters(tables_.layer(), address_); }
    /// The kernel's launch; throws InputError where the layer does not fit the GPU.
    const CrossbarLaunch& launch() const { return launch_; }
    CrossbarLaunch fitted(const ReadEffects& effects) const;
    /// Parameters but for inputs, outputs and their positions.
    const CrossbarParams& params() const { return params_; }
    int64_t largest_sum() const { return largest_sum_; }
    std::vector<int16_t> conductances(const WorkQueue& queue) const;
    /// As CrossbarTrace holds them; empty where they are ideal.
    ConverterNumbers converters(const WorkQueue& queue) const;

  private:
    void place_bias(const WorkQueue& queue);
    void survey(const WorkQueue& queue);
    void set_converters(const WorkQueue& queue);
    void set_joining(const WorkQueue& queue);

    const CrossbarTables& tables_;
    size_t shared_bytes_;
    std::optional<CellsOnChip> surveyed_cells_;  // what report_ and largest_sum_ are of
    ChipAddress address_;
    CrossbarCalibration calibration_;
    ProgrammingReport report_;
    int64_t largest_sum_ = 0;
    CrossbarLaunch launch_;
    CrossbarParams params_;
    DeviceBuffer<int16_t> target_;  // with bias rows: a copy of the layer's, bias at its levels
    DeviceBuffer<float> converter_a_, converter_b_, converter_own_;
    DeviceBuffer<float> lo_, step_, array_scale_, array_offset_;
    DeviceBuffer<OutputScale> scales_;
    DeviceBuffer<CellSurvey> survey_;
    bool surveyed_ = false;  // survey_ holds what report_ lacks
};

}  // namespace mho::cuda
