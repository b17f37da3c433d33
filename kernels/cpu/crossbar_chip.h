// kernels/cpu/crossbar_chip.h - what one chip holds for one crossbar layer: its programmed conductances and
// its converters.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cpu/integer_product.h"
#include "kernels/crossbar/adc.h"
#include "kernels/crossbar/conductance.h"
#include "kernels/crossbar/draw_address.h"
#include "kernels/crossbar/layer.h"
#include "kernels/crossbar/levels.h"

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

    bool ideal_converters() const { return has_ideal_converters(layer_, address_); }
    bool has_read_noise() const { return layer_.device.read_noise > 0 && !address_.nominal; }
    bool has_converter_noise() const { return layer_.adc.noise > 0 && !ideal_converters(); }
    const AdcModel& adc() const { return adc_; }
    /// In converter order.
    const ConverterNumbers& converter_numbers() const { return converters_; }
    /// Converters of the columns of one array's conversion.
    Converters converters(int64_t group, int64_t row_tile, int slice, int conversion) const {
        const size_t first = converter_element(draw_extents(layer_), group, row_tile, slice, conversion, 0);
        const float* own = converters_.own.empty() ? nullptr : converters_.own.data() + first;
        return {converters_.a.data() + first, converters_.b.data() + first, own, converter_elements(layer_)};
    }
    /// No column sum of a step is larger, nor its difference with analog subtraction in magnitude.
    int64_t largest_sum() const { return largest_sum_; }

  private:
    size_t array(int64_t group, int slice, int polarity) const {
        return static_cast<size_t>((group * layer_.slices() + slice) * layer_.polarities() + polarity);
    }
    /// The random draws of a run of cells; words that nothing asks for stay zero.
    struct RowDraws {
        std::vector<float> n;
        std::vector<uint32_t> fault, fault_value;
    };

    void sample_cells(std::vector<int16_t>& cells);
    RowDraws draw(uint64_t element, size_t count) const;
    void sample_faulty_row(const RowDraws& draws, size_t at, int16_t* row);
    void pack(const std::vector<int16_t>& cells);
    void sample_converters();

    const CrossbarLayer& layer_;
    const CellModel cells_;
    const AdcModel adc_;
    RowLayout rows_;
    std::optional<CellsOnChip> sampled_;  // what the cells were sampled for
    ChipAddress address_;
    CrossbarCalibration calibration_;
    ProgrammingReport report_;
    std::vector<PairedMatrix> conductance_, variance_;
    ConverterNumbers converters_;
    int64_t largest_sum_ = 0;
};

}  // namespace mho::cpu
