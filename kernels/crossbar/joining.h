// kernels/crossbar/joining.h - from the codes of all arrays of a layer to its outputs. docs/physics.md
// section 4. Codes that share one range are joined as integers; codes of different ranges as floats, array by
// array.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/base/host_device.h"
#include "kernels/crossbar/adc.h"
#include "kernels/crossbar/calibration.h"
#include "kernels/crossbar/input_code.h"
#include "kernels/crossbar/layer.h"
#include "kernels/crossbar/levels.h"

namespace mho {

enum class CodeScale {
    ideal,     // codes are the column sums themselves
    pooled,    // one range a layer: J = sum of weights times codes, an integer
    separate,  // ranges differ: z, in grid units, a float
};

/// What one array adds to z of one column: its codes J joined over phases and steps, which weigh
/// `read_weight` together. `scale`, `offset`: step and lo of its range, times the array's own weight.
MHO_FORMULA float add_array(float z, int64_t joined, float scale, float offset, float read_weight) {
    return fmaf(offset, read_weight, fmaf(scale, static_cast<float>(joined), z));
}

/// What the reads of one phase weigh together: 1 + 2^dac_bits + ...
inline int64_t phase_weight(const CodePlan& codes, int64_t dac_bits) {
    int64_t weight = 0;
    for (int step = 0; step < codes.steps; ++step) weight += int64_t{1} << (step * dac_bits);
    return weight;
}

/// The weight of one array: +-v_s of its slice.
inline int64_t array_weight(const CrossbarLayer& l, int slice, int polarity) {
    return CrossbarLayer::sign_of(polarity) * l.slice(slice).weight;
}

/// Step and lo of one array's range, times the array's weight: what add_array() takes where ranges differ.
struct ArrayScale {
    float scale, offset;
};
inline ArrayScale array_scale(const CrossbarLayer& l, const CrossbarCalibration& c, int64_t group,
                              int64_t row_tile, int slice, int conversion, int64_t column) {
    const size_t range = static_cast<size_t>(range_index(l, group, row_tile, slice, conversion, column));
    const float weight = static_cast<float>(array_weight(l, slice, conversion));
    return {weight * c.step[range], weight * c.lo[range]};
}

/// How the outputs of one layer on one chip come from what its codes joined to.
struct JoiningRule {
    CodeScale kind = CodeScale::ideal;
    float step = 0, lowest = 0;    ///< pooled: z = fmaf(step, float(J), lowest)
    float read_weight = 0;         ///< sum of the weights of one conversion's reads
    int64_t per_code = 0;          ///< taken off for every unit of the sum of signed input codes
    bool takes_reference = false;  ///< J or z of the reference column is taken off first
};

/// Of one output.
struct OutputScale {
    float scale = 0, bias = 0;
    int64_t offset = 0;  ///< taken off: what offset inputs add
};

/// y of one output. `joined`, `z`: whichever the rule asks for, the reference's taken off; `code_sum`: of the
/// signed input codes of all rows.
MHO_FORMULA float output_of(const JoiningRule& rule, const OutputScale& output, int64_t joined, float z,
                            int64_t code_sum) {
    const int64_t offset = rule.per_code * code_sum + output.offset;
    float value;
    if (rule.kind == CodeScale::ideal)
        value = static_cast<float>(joined - offset);
    else if (rule.kind == CodeScale::pooled)
        value = fmaf(rule.step, static_cast<float>(joined), rule.lowest) - static_cast<float>(offset);
    else
        value = z - static_cast<float>(offset);
    return fmaf(value, output.scale, output.bias);
}

inline JoiningRule joining_rule(const CrossbarLayer& l, const CrossbarCalibration& c, bool ideal_converters) {
    JoiningRule rule;
    rule.takes_reference = l.has_reference_column();
    rule.per_code = l.code_offset;
    const CodePlan codes = code_plan(l.crossbar, c.is_signed);
    // What one phase adds, the other takes off.
    const int64_t read_weight = codes.phases == 2 ? 0 : phase_weight(codes, l.crossbar.dac_bits);
    rule.read_weight = static_cast<float>(read_weight);
    if (ideal_converters) return rule;
    if (l.adc.granularity != Granularity::layer) {
        rule.kind = CodeScale::separate;
        return rule;
    }
    rule.kind = CodeScale::pooled;
    int64_t lowest_codes = 0;  // how often the lowest code is in J
    for_each_conversion(l, [&](int s, int p) { lowest_codes += array_weight(l, s, p); });
    if (rule.takes_reference) lowest_codes = 0;
    rule.step = c.step[0];
    rule.lowest = c.lo[0] * static_cast<float>(lowest_codes * l.row_tiles() * read_weight);
    return rule;
}

/// For each group and output.
inline std::vector<OutputScale> output_scales(const CrossbarLayer& l, const CrossbarCalibration& c) {
    const CodePlan codes = code_plan(l.crossbar, c.is_signed);
    std::vector<OutputScale> all(l.weight_lsb.size());
    for (size_t o = 0; o < all.size(); ++o) {
        int64_t of_one = l.target_sum[o];  // what every input code of 1 adds
        if (l.bias_rows > 0 && !c.bias_level.empty())
            of_one += l.bias_rows * joined_target(l, c.bias_level[o]);
        all[o].offset = codes.offset * of_one;
        all[o].scale = c.x_lsb * l.weight_lsb[o] / static_cast<float>(l.grid.joined_step);
        all[o].bias = l.bias.empty() || l.bias_rows > 0 ? 0.0f : l.bias[o];
    }
    return all;
}

}  // namespace mho
