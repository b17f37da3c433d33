#include "host/chip/mapping.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "kernels/base/error.h"
#include "kernels/crossbar/conductance.h"
#include "kernels/crossbar/draw_address.h"
#include "kernels/crossbar/levels.h"
#include "kernels/crossbar/slicing.h"

namespace mho {
namespace {

/// Boundaries of ceil(extent / size) tiles, even to within one, or full but the last.
std::vector<int64_t> tile_boundaries(int64_t extent, int64_t size, Fill fill) {
    const int64_t tiles = (extent + size - 1) / size;
    std::vector<int64_t> begin;
    for (int64_t t = 0; t <= tiles; ++t)
        begin.push_back(fill == Fill::packed ? std::min(t * size, extent) : extent * t / tiles);
    return begin;
}

std::string does_not_fit(const LevelGrid& grid, int64_t multiple, const std::string& name) {
    std::vector<int64_t> levels;
    for (const Slice& s : grid.slices) levels.push_back(s.full + 1);
    if (std::adjacent_find(levels.begin(), levels.end(), std::not_equal_to<>()) == levels.end())
        return fmt::format(
            "layer {}: {} levels a cell do not fit the conductance grid of {} codes: use fewer "
            "crossbar.cell_bits or less crossbar.headroom",
            name, levels[0], kGridMax);
    return fmt::format(
        "layer {}: slices of {} levels, each from g_min to g_max, have {} steps in common, more than "
        "the conductance grid of {} codes holds: use other crossbar.cell_bits or "
        "crossbar.slice_range = \"common\"",
        name, fmt::join(levels, " and "), multiple, kGridMax);
}

/// Levels, slices and the grid they lie on: the span is a whole number of steps of every slice.
void lay_out_grid(CrossbarLayer& l, const std::string& name) {
    LevelGrid& grid = l.grid;
    grid.q_max = l.crossbar.q_max();
    grid.slices = slices_of(l.crossbar);
    int64_t multiple = 1, shared = 0;
    for (const Slice& s : grid.slices) {
        multiple = std::lcm(multiple, s.full);
        shared = std::gcd(shared, s.full);
    }
    if (description_of(l.crossbar.scheme).half_levels) multiple *= 2;
    const double g_ratio = l.device.g_min / l.device.g_max,
                 room = (1 - g_ratio) * kGridMax / l.crossbar.headroom;
    grid.span = static_cast<int64_t>(room / static_cast<double>(multiple)) * multiple;
    if (grid.span == 0) throw InputError(does_not_fit(grid, multiple, name));
    for (Slice& s : grid.slices) {
        s.g_step = grid.span / s.full;
        s.weight = (s.full / shared) << s.shift;
    }
    grid.joined_step = grid.span / shared;
    grid.g_min = static_cast<int64_t>(std::rint(g_ratio / (1 - g_ratio) * static_cast<double>(grid.span)));
}

/// Joined sums are int64: that of a column whose every cell is as full, and every input as large, as can be
/// fits.
void check_sums(const CrossbarLayer& l, const std::string& name) {
    double weights = 0;
    for (const Slice& s : l.grid.slices) weights += static_cast<double>(s.weight * l.polarities());
    const double largest = weights * static_cast<double>(l.rows()) * kGridMax *
                           std::ldexp(1.0, static_cast<int>(l.crossbar.input_bits));
    if (largest >= 0x1p63)
        throw InputError(
            fmt::format("layer {}: sums over its {} inputs may need more than 64 bits: use fewer "
                        "crossbar.input_bits, or crossbar.slice_range = \"common\"",
                        name, l.inputs));
}

/// w_scale of each group and output.
std::vector<double> weight_scales(const WeightMatrix& m, const MappingRequest& asked) {
    const CrossbarSettings& c = asked.crossbar;
    const size_t columns = static_cast<size_t>(m.groups * m.outputs), inputs = static_cast<size_t>(m.inputs);
    if (asked.network_scale) return std::vector<double>(columns, *asked.network_scale);
    if (c.scale != WeightScale::column) return std::vector<double>(columns, weight_extent(m.weight, c.clip));
    std::vector<double> scales;
    for (size_t i = 0; i < columns; ++i)
        scales.push_back(weight_extent(m.weight.subspan(i * inputs, inputs), c.clip));
    return scales;
}

/// Signed level of a weight: whole with quantised weights.
double signed_level(const CrossbarLayer& l, double w, double scale) {
    const double q_max = static_cast<double>(l.grid.q_max), q = scale > 0 ? w / scale * q_max : 0;
    return std::clamp(l.has_real_weights() ? q : std::rint(q), -q_max, q_max);
}

void place_weights(CrossbarLayer& l, const WeightMatrix& m, const std::vector<double>& scales) {
    l.target.assign(static_cast<size_t>(l.cells()), 0);
    l.target_sum.assign(scales.size(), 0);
    for (size_t output = 0; output < scales.size(); ++output) {
        const int64_t group = static_cast<int64_t>(output) / m.outputs,
                      n = static_cast<int64_t>(output) % m.outputs;
        for (int64_t k = 0; k < m.inputs; ++k) {
            const float w = m.weight[output * static_cast<size_t>(m.inputs) + static_cast<size_t>(k)];
            const double q = signed_level(l, w, scales[output]);
            for (int s = 0; s < l.slices(); ++s)
                for (int p = 0; p < l.polarities(); ++p)
                    l.target[cell_element(draw_extents(l), group, s, p, k, n)] =
                        static_cast<int16_t>(cell_target(l, q, s, p));
            l.target_sum[output] += joined_target(l, q);
        }
    }
}

/// Bias rows at weight level zero, and the reference columns.
void place_the_rest(CrossbarLayer& l) {
    for_each_array(l, [&](int64_t g, int s, int p) {
        for (int64_t row = 0; row < l.rows(); ++row)
            for (int64_t c = row < l.inputs ? l.outputs : 0; c < l.columns(); ++c)
                l.target[cell_element(draw_extents(l), g, s, p, row, c)] =
                    static_cast<int16_t>(cell_target(l, 0, s, p));
    });
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

void check_grid(const ArraySettings& asked, const std::string& layer_name) {
    CrossbarLayer layer{asked};
    lay_out_grid(layer, layer_name);
}

CrossbarLayer map_crossbar(const WeightMatrix& m, const MappingRequest& asked) {
    CrossbarLayer l{asked};
    l.layer = m.layer;
    l.groups = m.groups;
    l.inputs = m.inputs;
    l.outputs = m.outputs;
    l.bias_rows = m.bias.empty() || l.crossbar.bias == BiasMode::digital ? 0 : l.crossbar.bias_rows;
    l.bias.assign(m.bias.begin(), m.bias.end());
    l.row_begin = tile_boundaries(l.rows(), l.crossbar.rows, l.crossbar.fill);
    l.column_begin = tile_boundaries(l.outputs, l.crossbar.columns, l.crossbar.fill);
    lay_out_grid(l, m.name);
    check_sums(l, m.name);

    const std::vector<double> scales = weight_scales(m, asked);
    for (double scale : scales)
        l.weight_lsb.push_back(static_cast<float>(scale / static_cast<double>(l.grid.q_max)));
    place_weights(l, m, scales);
    place_the_rest(l);
    if (!l.has_reference_column()) l.code_offset = joined_target(l, 0);  // of two polarities: 0
    return l;
}

}  // namespace mho
