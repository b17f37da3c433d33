#include "host/chip/mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/base/error.h"
#include "kernels/crossbar/adc.h"
#include "kernels/crossbar/conductance.h"
#include "kernels/crossbar/draw_address.h"
#include "kernels/crossbar/input_code.h"
#include "kernels/crossbar/levels.h"

namespace mho {
namespace {

/// Boundaries of ceil(extent / size) tiles, even to within one, or full but the last.
std::vector<int64_t> tile_boundaries(int64_t extent, int64_t size, bool packed) {
    const int64_t tiles = (extent + size - 1) / size;
    std::vector<int64_t> begin;
    for (int64_t t = 0; t <= tiles; ++t)
        begin.push_back(packed ? std::min(t * size, extent) : extent * t / tiles);
    return begin;
}

int bits_of(int64_t value) {
    int bits = 0;
    for (; value > 0; value >>= 1) ++bits;
    return bits;
}

/// Levels, slices and the grid they lie on.
void lay_out_grid(CrossbarLayer& l, const MappingOptions& o, const std::string& name) {
    const bool real = o.weight_bits == 0;
    l.weight_bits = o.weight_bits;
    l.cell_bits = o.cell_bits;
    l.q_max = real ? 1 : (1 << (o.weight_bits - 1)) - 1;
    const int64_t largest = l.scheme == Scheme::offset ? 2 * l.q_max : l.q_max;
    l.slices = real ? 1 : (bits_of(largest) + o.cell_bits - 1) / o.cell_bits;
    l.u_max = real ? static_cast<int>(largest)
                   : static_cast<int>(std::min<int64_t>((1 << o.cell_bits) - 1, largest));
    l.levels = o.levels;
    const double span = (1 - o.g_ratio) * kGridMax / o.headroom;
    const bool halved = l.scheme == Scheme::balanced;  // cells sit half steps around the middle
    l.g_step = static_cast<int64_t>(span / (halved ? 2 * l.u_max : l.u_max)) * (halved ? 2 : 1);
    if (l.g_step == 0)
        throw InputError(
            fmt::format("layer {}: {} levels a cell do not fit the conductance grid of {} codes: use fewer "
                        "crossbar.cell_bits or less crossbar.headroom",
                        name, l.u_max + 1, kGridMax));
    l.g_min = static_cast<int64_t>(
        std::rint(o.g_ratio / (1 - o.g_ratio) * l.u_max * static_cast<double>(l.g_step)));
    l.device.g_max = static_cast<float>(l.g_min + l.g_step * l.u_max);
}

/// w_scale of each group and output.
std::vector<double> weight_scales(const WeightMatrix& m, const MappingOptions& o) {
    const int64_t columns = m.groups * m.outputs;
    if (o.network_scale) return std::vector<double>(static_cast<size_t>(columns), *o.network_scale);
    if (!o.scale_per_column)
        return std::vector<double>(static_cast<size_t>(columns), weight_extent(m.weight, o.clip));
    std::vector<double> scales;
    for (int64_t c = 0; c < columns; ++c)
        scales.push_back(weight_extent(
            m.weight.subspan(static_cast<size_t>(c * m.inputs), static_cast<size_t>(m.inputs)), o.clip));
    return scales;
}

/// Signed level of a weight: whole with quantised weights.
double signed_level(const CrossbarLayer& l, double w, double scale) {
    const double q = scale > 0 ? w / scale * l.q_max : 0;
    return std::clamp(l.weight_bits == 0 ? q : std::rint(q), -static_cast<double>(l.q_max),
                      static_cast<double>(l.q_max));
}

void place_weights(CrossbarLayer& l, const WeightMatrix& m, const std::vector<double>& scales) {
    l.target.assign(static_cast<size_t>(l.cells()), 0);
    l.target_sum.assign(static_cast<size_t>(m.groups * m.outputs), 0);
    for (int64_t g = 0; g < m.groups; ++g)
        for (int64_t n = 0; n < m.outputs; ++n) {
            const size_t output = static_cast<size_t>(g * m.outputs + n);
            for (int64_t k = 0; k < m.inputs; ++k) {
                const double q =
                    signed_level(l, m.weight[output * static_cast<size_t>(m.inputs) + static_cast<size_t>(k)],
                                 scales[output]);
                for (int s = 0; s < l.slices; ++s)
                    for (int p = 0; p < l.polarities(); ++p)
                        l.target[cell_element(draw_extents(l), g, s, p, k, n)] =
                            static_cast<int16_t>(cell_target(l, q, s, p));
                l.target_sum[output] += joined_target(l, q);
            }
        }
}

/// Bias rows at weight level zero, and the reference columns.
void place_the_rest(CrossbarLayer& l) {
    for (int64_t g = 0; g < l.groups; ++g)
        for (int s = 0; s < l.slices; ++s)
            for (int p = 0; p < l.polarities(); ++p)
                for (int64_t row = 0; row < l.rows(); ++row) {
                    const int64_t first = row < l.inputs ? l.outputs : 0;
                    for (int64_t c = first; c < l.columns(); ++c)
                        l.target[cell_element(draw_extents(l), g, s, p, row, c)] =
                            static_cast<int16_t>(cell_target(l, 0, s, p));
                }
}

/// Codes lo .. hi in 2^bits - 1 steps, or symmetric around zero with analog subtraction.
void set_range(const CrossbarLayer& l, double lo, double hi, size_t index, CrossbarCalibration& c) {
    double steps = std::ldexp(1.0, l.adc.bits) - 1;
    if (l.polarities() == 2 && l.subtract == Subtract::analog) {
        hi = std::max(std::abs(lo), std::abs(hi));
        lo = -hi;
        steps = std::max(1.0, steps - std::ldexp(1.0, l.adc.bits - 1));  // 2^(bits - 1) - 1 on either side
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

int64_t largest_row_tile(const CrossbarLayer& l) {
    int64_t rows = 0;
    for (size_t t = 0; t + 1 < l.row_begin.size(); ++t)
        rows = std::max(rows, l.row_begin[t + 1] - l.row_begin[t]);
    return rows;
}

/// Rows of the tile that a range index belongs to; the largest where it covers several.
int64_t rows_of_range(const CrossbarLayer& l, int64_t index) {
    if (l.adc.granularity == Granularity::layer || l.adc.granularity == Granularity::slice)
        return largest_row_tile(l);
    const int64_t within = l.slices * l.conversions() *
                           (l.adc.granularity == Granularity::tile ? l.column_tiles() : l.columns());
    const size_t tile = static_cast<size_t>(index / within % l.row_tiles());
    return l.row_begin[tile + 1] - l.row_begin[tile];
}

void map_bias(const CrossbarLayer& l, CrossbarCalibration& c) {
    double largest = 0;  // of the bias, in products of one input code and one weight level
    for (size_t i = 0; i < l.bias.size(); ++i)
        if (l.weight_lsb[i] > 0)
            largest = std::max(largest, std::abs(static_cast<double>(l.bias[i])) /
                                            (static_cast<double>(l.weight_lsb[i]) * c.x_lsb));
    const CodePlan codes = code_plan(l.input, c.is_signed);
    const double rows = static_cast<double>(l.bias_rows);
    c.bias_drive = static_cast<int32_t>(
        std::clamp(std::ceil(largest / (rows * l.q_max)), 1.0, static_cast<double>(codes.high)));
    c.bias_level.assign(l.bias.size(), 0);
    for (size_t i = 0; i < l.bias.size(); ++i) {
        const double unit = static_cast<double>(l.weight_lsb[i]) * c.x_lsb * rows * c.bias_drive;
        const double level = unit > 0 ? std::rint(static_cast<double>(l.bias[i]) / unit) : 0;
        c.bias_level[i] = static_cast<int32_t>(
            std::clamp(level, -static_cast<double>(l.q_max), static_cast<double>(l.q_max)));
    }
}

}  // namespace

double weight_extent(std::span<const float> weight, const std::optional<double>& clip) {
    std::vector<double> magnitudes;
    for (float w : weight) magnitudes.push_back(std::abs(static_cast<double>(w)));
    if (magnitudes.empty()) return 0;
    if (!clip) return *std::max_element(magnitudes.begin(), magnitudes.end());
    std::sort(magnitudes.begin(), magnitudes.end());
    const double place = *clip / 100 * static_cast<double>(magnitudes.size() - 1);
    const size_t below = static_cast<size_t>(place), above = std::min(below + 1, magnitudes.size() - 1);
    return std::lerp(magnitudes[below], magnitudes[above], place - static_cast<double>(below));
}

void check_grid(const MappingOptions& options, const std::string& layer_name) {
    CrossbarLayer layer;
    layer.scheme = options.scheme;
    lay_out_grid(layer, options, layer_name);
}

CrossbarLayer map_crossbar(const WeightMatrix& m, const MappingOptions& o) {
    CrossbarLayer l;
    l.layer = m.layer;
    l.groups = m.groups;
    l.inputs = m.inputs;
    l.outputs = m.outputs;
    l.scheme = o.scheme;
    l.subtract = o.subtract;
    l.reference = o.reference;
    l.input = o.input;
    l.device = o.device;
    l.adc = o.adc;
    l.bias_rows = m.bias.empty() ? 0 : o.bias_rows;
    l.bias.assign(m.bias.begin(), m.bias.end());
    l.row_begin = tile_boundaries(l.rows(), o.rows, o.packed);
    l.column_begin = tile_boundaries(l.outputs, o.columns, o.packed);
    lay_out_grid(l, o, m.name);

    const std::vector<double> scales = weight_scales(m, o);
    for (double scale : scales) l.weight_lsb.push_back(static_cast<float>(scale / l.q_max));
    place_weights(l, m, scales);
    place_the_rest(l);
    if (l.scheme == Scheme::offset && l.reference == Reference::digital) l.code_offset = joined_target(l, 0);
    return l;
}

void set_input_scale(const CrossbarLayer& l, const InputHistogram& h, CrossbarCalibration& c) {
    c.is_signed = h.minimum < 0;
    c.x_max = std::max(std::abs(h.minimum), std::abs(h.maximum));
    if (l.input.clip_percentile < 100) {
        int64_t total = 0, seen = 0;
        for (int64_t n : h.counts) total += n;
        const int64_t wanted =
            static_cast<int64_t>(std::ceil(static_cast<double>(total) * l.input.clip_percentile / 100));
        size_t bin = 0;
        while (bin + 1 < h.counts.size() && (seen += h.counts[bin]) < wanted) ++bin;
        c.x_max = std::min(c.x_max,
                           static_cast<float>(static_cast<double>(h.extent) * static_cast<double>(bin + 1) /
                                              static_cast<double>(h.counts.size())));
    }
    const CodePlan codes = code_plan(l.input, c.is_signed);
    c.x_lsb = c.x_max > 0 ? c.x_max / static_cast<float>(codes.high) : 1.0f;
    c.x_lsb_inverse = 1.0f / c.x_lsb;
    if (l.bias_rows > 0) map_bias(l, c);
}

void set_converter_ranges(const CrossbarLayer& l, const ColumnHistograms& sums, CrossbarCalibration& c) {
    if (l.adc.bits == 0) return;
    const size_t count = static_cast<size_t>(range_count(l));
    c.lo.assign(count, 0);
    c.step.assign(count, 1);
    const double g_max = l.device.g_max;
    for (size_t i = 0; i < count; ++i) {
        if (l.adc.range == AdcRange::fixed) {
            set_range(l, l.adc.low * g_max, l.adc.high * g_max, i, c);
        } else if (l.adc.range == AdcRange::calibrated) {
            const Extent e = central_extent(sums.counts[i], sums.first, sums.width, l.adc.percentile);
            set_range(l, e.low, e.high, i, c);
        } else {
            const double largest_part = std::ldexp(1.0, l.input.dac_bits) - 1;
            set_range(l, 0,
                      static_cast<double>(rows_of_range(l, static_cast<int64_t>(i))) * largest_part * g_max,
                      i, c);
        }
    }
}

}  // namespace mho
