// kernels/cpu/crossbar_joining.h - the codes of all arrays of a layer, put together to its outputs.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/adc.h"
#include "kernels/cpu/crossbar_reading.h"
#include "kernels/levels.h"

namespace mho::cpu {

/// Codes of all arrays -> outputs.
template <class Sum>
class Joining {
  public:
    Joining(const CrossbarChip& chip, Reading<Sum>& reading)
        : chip_(chip), l_(chip.layer()), reading_(reading) {
        const CodePlan& codes = reading.codes();
        for (int step = 0; step < codes.steps; ++step)
            read_weight_ += int64_t{1} << (step * l_.input.dac_bits);
        if (codes.phases == 2) read_weight_ = 0;  // what one phase adds, the other takes off
    }

    /// Codes of all arrays are integers on one scale.
    bool pools() const { return chip_.ideal_converters() || l_.adc.granularity == Granularity::layer; }

    void begin(int64_t group) {
        group_ = group;
        const size_t size = static_cast<size_t>(reading_.vectors() * reading_.pitch());
        joined_.assign(size, 0);
        z_.assign(size, 0.0f);
    }

    /// Takes in the codes that `reading` has just converted.
    void add(int64_t row_tile, int slice, int conversion) {
        const bool negative = CrossbarLayer::sign_of(conversion) < 0;
        const int shift = l_.slices == 1 ? 0 : slice * l_.cell_bits;
        if (pools()) return reading_.join_reads(negative, shift, joined_);
        joined_.assign(joined_.size(), 0);
        reading_.join_reads(false, 0, joined_);
        const float base = std::ldexp(negative ? -1.0f : 1.0f, shift);
        std::vector<float> scale(static_cast<size_t>(l_.columns())), offset(scale.size());
        for (int64_t c = 0; c < l_.columns(); ++c) {
            const int64_t ct = chip_.column_tile(c);
            const size_t range =
                static_cast<size_t>(range_index(l_, group_, row_tile, ct, slice, conversion, c));
            scale[static_cast<size_t>(c)] = base * chip_.calibration().step[range];
            offset[static_cast<size_t>(c)] = base * chip_.calibration().lo[range];
        }
        for (int64_t v = 0; v < reading_.vectors(); ++v)
            add_scaled(joined_.data() + v * reading_.pitch(), scale.data(), offset.data(),
                       static_cast<float>(read_weight_), l_.columns(), z_.data() + v * reading_.pitch());
    }

    /// Outputs of vector v: y[outputs]. `joined` gets the joined integers where there are such, and may be
    /// null.
    void finish(int64_t v, float* y, int64_t* joined) const {
        const int64_t* sums = joined_.data() + v * reading_.pitch();
        const float* z = z_.data() + v * reading_.pitch();
        const CrossbarCalibration& cal = chip_.calibration();
        const int64_t code_sum = sum_of_codes(v);
        for (int64_t c = 0; c < l_.outputs; ++c) {
            const int64_t ct = chip_.column_tile(c);
            const size_t output = static_cast<size_t>(group_ * l_.outputs + c);
            const bool referred = l_.reference == Reference::column;
            const int64_t reference = l_.outputs + ct;
            const int64_t offset = l_.code_offset * code_sum + input_offset(output);
            const int64_t sum = sums[c] - (referred && pools() ? sums[reference] : 0);
            float value;
            if (chip_.ideal_converters())
                value = static_cast<float>(sum - offset);
            else if (pools())
                value = fmaf(cal.step[0], static_cast<float>(sum),
                             cal.lo[0] * static_cast<float>(pooled_weight(referred))) -
                        static_cast<float>(offset);
            else
                value = (referred ? z[c] - z[reference] : z[c]) - static_cast<float>(offset);
            const float scale = cal.x_lsb * l_.weight_lsb[output] / static_cast<float>(l_.g_step);
            const float bias = l_.bias.empty() || l_.bias_rows > 0 ? 0.0f : l_.bias[output];
            y[c] = fmaf(value, scale, bias);
            if (joined) joined[c] = sum;
        }
    }

  private:
    int64_t sum_of_codes(int64_t v) const {
        int64_t sum = 0;
        for (int64_t r = 0; r < l_.rows(); ++r) sum += reading_.vector_codes(v)[r];
        return sum;
    }
    /// What the offset of the input codes adds to a joined sum.
    int64_t input_offset(size_t output) const {
        int64_t of_one = l_.target_sum[output];
        if (l_.bias_rows > 0)
            of_one += l_.bias_rows * joined_target(l_, chip_.calibration().bias_level[output]);
        return reading_.codes().offset * of_one;
    }
    /// How often the lowest code is in a joined sum.
    int64_t pooled_weight(bool referred) const {
        if (referred) return 0;
        int64_t weight = 0;
        for (int s = 0; s < l_.slices; ++s)
            for (int p = 0; p < l_.conversions(); ++p)
                weight += CrossbarLayer::sign_of(p) * (int64_t{1} << (l_.slices == 1 ? 0 : s * l_.cell_bits));
        return weight * l_.row_tiles() * read_weight_;
    }

    const CrossbarChip& chip_;
    const CrossbarLayer& l_;
    const Reading<Sum>& reading_;
    int64_t read_weight_ = 0;  // of one conversion's lowest code, phases and steps put together
    int64_t group_ = 0;
    std::vector<int64_t> joined_;
    std::vector<float> z_;
};

}  // namespace mho::cpu
