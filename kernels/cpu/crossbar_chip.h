// kernels/cpu/crossbar_chip.h - what one chip holds for one crossbar layer: its programmed conductances and
// its converters.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cpu/integer_product.h"
#include "kernels/crossbar/draw_address.h"
#include "kernels/crossbar/layer.h"

namespace mho::cpu {

/// Where the rows of a layer lie in a PairedMatrix: each row tile begins at an even row, so that no pair of
/// rows straddles two tiles.
struct RowLayout {
    explicit RowLayout(const CrossbarLayer& layer);
    std::vector<int64_t> begin;  ///< of each row tile, and the end
    std::vector<int64_t> place;  ///< of each row
};

class CrossbarChip {
  public:
    explicit CrossbarChip(const CrossbarLayer& layer);

    /// Samples cells and converters. The cells depend on the address and on the bias levels alone: they are
    /// kept where neither has changed.
    void program(const ChipAddress& address, const CrossbarCalibration& calibration);

    const CrossbarLayer& layer() const { return layer_; }
    const CrossbarCalibration& calibration() const { return calibration_; }
    const RowLayout& rows() const { return rows_; }
    const ProgrammingReport& report() const { return report_; }
    const ChipAddress& address() const { return address_; }
    RandomStream stream(Domain domain) const { return {address_.seed, address_.chip, domain, layer_.layer}; }

    const PairedMatrix& conductance(int64_t group, int slice, int polarity) const {
        return conductance_[array(group, slice, polarity)];
    }
    /// Read variances of the same cells, on their own grid; there only with read noise.
    const PairedMatrix& variance(int64_t group, int slice, int polarity) const {
        return variance_[array(group, slice, polarity)];
    }

    /// Codes are the column sums themselves: no converter, or the nominal chip.
    bool ideal_converters() const { return layer_.adc.bits == 0 || address_.nominal; }
    bool has_read_noise() const { return layer_.device.read_noise > 0 && !address_.nominal; }
    bool has_converter_noise() const { return layer_.adc.noise > 0 && !ideal_converters(); }
    /// Converters of the columns of one array's conversion: pitch() of each.
    const float* converter_a(int64_t group, int64_t row_tile, int slice, int polarity) const {
        return converter_a_.data() + conversion(group, row_tile, slice, polarity);
    }
    const float* converter_b(int64_t group, int64_t row_tile, int slice, int polarity) const {
        return converter_b_.data() + conversion(group, row_tile, slice, polarity);
    }
    /// No column sum of a step is larger, nor its difference with analog subtraction in magnitude.
    int64_t largest_sum() const { return largest_sum_; }

  private:
    size_t array(int64_t group, int slice, int polarity) const {
        return static_cast<size_t>((group * layer_.slices + slice) * layer_.polarities() + polarity);
    }
    int64_t conversion(int64_t group, int64_t row_tile, int slice, int polarity) const {
        return static_cast<int64_t>(
            converter_element(draw_extents(layer_), group, row_tile, slice, polarity, 0));
    }
    /// The random draws of a run of cells; words that nothing asks for stay zero.
    struct RowDraws {
        std::vector<float> n;
        std::vector<uint32_t> fault, fault_value;
    };

    std::vector<int16_t> targets() const;
    void sample_cells(std::vector<int16_t>& cells);
    RowDraws draw(uint64_t element, size_t count) const;
    void sample_faulty_row(const RowDraws& draws, size_t at, float sigma, int16_t* row);
    void pack(const std::vector<int16_t>& cells);
    void sample_converters();

    const CrossbarLayer& layer_;
    RowLayout rows_;
    bool programmed_ = false;
    ChipAddress address_;
    CrossbarCalibration calibration_;
    ProgrammingReport report_;
    std::vector<PairedMatrix> conductance_, variance_;
    std::vector<float> converter_a_, converter_b_;
    int64_t largest_sum_ = 0;
};

}  // namespace mho::cpu
