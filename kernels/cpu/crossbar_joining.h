// kernels/cpu/crossbar_joining.h - the codes of all arrays of a layer, put together to its outputs.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/crossbar_reading.h"
#include "kernels/crossbar/joining.h"

namespace mho::cpu {

/// Codes of all arrays -> outputs.
template <class Sum>
class Joining {
  public:
    Joining(const CrossbarChip& chip, Reading<Sum>& reading)
        : chip_(chip),
          l_(chip.layer()),
          reading_(reading),
          rule_(joining_rule(l_, chip.calibration(), chip.ideal_converters())),
          outputs_(output_scales(l_, chip.calibration())) {}

    /// Codes of all arrays are integers on one scale.
    bool pools() const { return rule_.kind != CodeScale::separate; }

    void begin(int64_t group) {
        group_ = group;
        const size_t size = static_cast<size_t>(reading_.vectors() * reading_.pitch());
        joined_.assign(size, 0);
        z_.assign(size, 0.0f);
    }

    /// Takes in the codes that `reading` has just converted.
    void add(int64_t row_tile, int slice, int conversion) {
        if (pools()) return reading_.join_reads(array_weight(l_, slice, conversion), joined_);
        joined_.assign(joined_.size(), 0);
        reading_.join_reads(1, joined_);
        std::vector<float> scale(static_cast<size_t>(l_.columns())), offset(scale.size());
        for (int64_t c = 0; c < l_.columns(); ++c) {
            const ArrayScale array =
                array_scale(l_, chip_.calibration(), group_, row_tile, slice, conversion, c);
            scale[static_cast<size_t>(c)] = array.scale;
            offset[static_cast<size_t>(c)] = array.offset;
        }
        for (int64_t v = 0; v < reading_.vectors(); ++v)
            add_array_to(joined_.data() + v * reading_.pitch(), scale.data(), offset.data(),
                         rule_.read_weight, l_.columns(), z_.data() + v * reading_.pitch());
    }

    /// Outputs of vector v: y[outputs]. `joined` gets the joined integers where there are such, and may be
    /// null.
    void finish(int64_t v, float* y, int64_t* joined) const {
        const int64_t* sums = joined_.data() + v * reading_.pitch();
        const float* z = z_.data() + v * reading_.pitch();
        const int64_t code_sum = rule_.per_code == 0 ? 0 : sum_of_codes(v);
        for (int64_t c = 0; c < l_.outputs; ++c) {
            int64_t sum = sums[c];
            float real = z[c];
            if (rule_.takes_reference) {
                const int64_t reference = l_.reference_of(c);
                if (pools()) sum -= sums[reference];
                real -= z[reference];
            }
            y[c] =
                output_of(rule_, outputs_[static_cast<size_t>(group_ * l_.outputs + c)], sum, real, code_sum);
            if (joined) joined[c] = sum;
        }
    }

  private:
    int64_t sum_of_codes(int64_t v) const {
        int64_t sum = 0;
        for (int64_t r = 0; r < l_.rows(); ++r) sum += reading_.vector_codes(v)[r];
        return sum;
    }

    const CrossbarChip& chip_;
    const CrossbarLayer& l_;
    const Reading<Sum>& reading_;
    const JoiningRule rule_;
    const std::vector<OutputScale> outputs_;
    int64_t group_ = 0;
    std::vector<int64_t> joined_;
    std::vector<float> z_;
};

}  // namespace mho::cpu
