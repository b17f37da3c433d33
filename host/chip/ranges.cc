#include "host/chip/ranges.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/crossbar/adc.h"
#include "kernels/crossbar/input_code.h"

namespace mho {
namespace {

/// Codes lo .. hi in 2^bits - 1 steps, or symmetric around zero with analog subtraction.
void set_range(const CrossbarLayer& l, double lo, double hi, size_t index, CrossbarCalibration& c) {
    const int bits = static_cast<int>(l.adc.bits);
    double steps = std::ldexp(1.0, bits) - 1;
    if (l.subtracts_before_adc()) {
        hi = std::max(std::abs(lo), std::abs(hi));
        lo = -hi;
        steps = std::max(1.0, steps - std::ldexp(1.0, bits - 1));  // 2^(bits - 1) - 1 on either side
        c.lo[index] = static_cast<float>(lo);
        c.step[index] = static_cast<float>(hi > 0 ? hi / steps : 1.0);
        return;
    }
    c.lo[index] = static_cast<float>(lo);
    c.step[index] = static_cast<float>(hi > lo ? (hi - lo) / steps : 1.0);
}

/// The central `percentile` of a histogram: as many sums are left out below as above.
struct Extent {
    double low = 0, high = 0;
};

Extent central_extent(const std::vector<int64_t>& counts, int64_t first, int64_t width, double percentile) {
    int64_t total = 0;
    for (int64_t n : counts) total += n;
    if (total == 0) return {};
    const int64_t left_out = static_cast<int64_t>(static_cast<double>(total) * (1 - percentile / 100) / 2);
    size_t low = 0, high = counts.size() - 1;
    for (int64_t below = counts[low]; below <= left_out; below += counts[low]) ++low;
    for (int64_t above = counts[high]; above <= left_out; above += counts[high]) --high;
    return {static_cast<double>(first + static_cast<int64_t>(low) * width),
            static_cast<double>(first + static_cast<int64_t>(high + 1) * width - 1)};
}

/// Rows of the tile that a range index belongs to; the largest where it covers several.
int64_t rows_of_range(const CrossbarLayer& l, int64_t index) {
    if (l.adc.granularity == Granularity::layer || l.adc.granularity == Granularity::slice)
        return l.largest_row_tile();
    const int64_t within = l.slices() * l.conversions() *
                           (l.adc.granularity == Granularity::tile ? l.column_tiles() : l.columns());
    return l.rows_of_tile(index / within % l.row_tiles());
}

void map_bias(const CrossbarLayer& l, CrossbarCalibration& c) {
    double largest = 0;  // of the bias, in products of one input code and one weight level
    for (size_t i = 0; i < l.bias.size(); ++i)
        if (l.weight_lsb[i] > 0)
            largest = std::max(largest, std::abs(static_cast<double>(l.bias[i])) /
                                            (static_cast<double>(l.weight_lsb[i]) * c.x_lsb));
    const CodePlan codes = code_plan(l.crossbar, c.is_signed);
    const double rows = static_cast<double>(l.bias_rows), q_max = static_cast<double>(l.grid.q_max);
    c.bias_drive = static_cast<int32_t>(
        std::clamp(std::ceil(largest / (rows * q_max)), 1.0, static_cast<double>(codes.high)));
    c.bias_level.assign(l.bias.size(), 0);
    for (size_t i = 0; i < l.bias.size(); ++i) {
        const double unit = static_cast<double>(l.weight_lsb[i]) * c.x_lsb * rows * c.bias_drive;
        const double level = unit > 0 ? std::rint(static_cast<double>(l.bias[i]) / unit) : 0;
        c.bias_level[i] = static_cast<int32_t>(std::clamp(level, -q_max, q_max));
    }
}

}  // namespace

void set_input_scale(const CrossbarLayer& l, const InputHistogram& h, CrossbarCalibration& c) {
    c.is_signed = h.minimum < 0;
    c.x_max = std::max(std::abs(h.minimum), std::abs(h.maximum));
    if (const double percentile = l.crossbar.input_clip.value_or(100); percentile < 100) {
        int64_t total = 0, seen = 0;
        for (int64_t n : h.counts) total += n;
        const int64_t wanted = static_cast<int64_t>(std::ceil(static_cast<double>(total) * percentile / 100));
        size_t bin = 0;
        while (bin + 1 < h.counts.size() && (seen += h.counts[bin]) < wanted) ++bin;
        c.x_max = std::min(c.x_max,
                           static_cast<float>(static_cast<double>(h.extent) * static_cast<double>(bin + 1) /
                                              static_cast<double>(h.counts.size())));
    }
    const CodePlan codes = code_plan(l.crossbar, c.is_signed);
    c.x_lsb = c.x_max > 0 ? c.x_max / static_cast<float>(codes.high) : 1.0f;
    c.x_lsb_inverse = 1.0f / c.x_lsb;
    if (l.bias_rows > 0) map_bias(l, c);
}

void set_converter_ranges(const CrossbarLayer& l, const ColumnHistograms& sums, CrossbarCalibration& c) {
    if (l.adc.bits == 0) return;
    const size_t count = static_cast<size_t>(range_count(l));
    c.lo.assign(count, 0);
    c.step.assign(count, 1);
    const double g_max = static_cast<double>(l.g_max());
    for (size_t i = 0; i < count; ++i) {
        if (l.adc.range == AdcRange::fixed) {
            set_range(l, l.adc.low * g_max, l.adc.high * g_max, i, c);
        } else if (l.adc.range == AdcRange::calibrated) {
            const Extent e = central_extent(sums.counts[i], sums.first, sums.width, l.adc.percentile);
            set_range(l, e.low, e.high, i, c);
        } else {
            const int64_t largest = rows_of_range(l, static_cast<int64_t>(i)) * l.largest_part();
            set_range(l, 0, static_cast<double>(largest) * g_max, i, c);
        }
    }
}

}  // namespace mho
