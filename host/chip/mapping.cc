#include "host/chip/mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/base/error.h"
#include "kernels/crossbar/conductance.h"
#include "kernels/crossbar/draw_address.h"
#include "kernels/crossbar/levels.h"

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

int bits_of(int64_t value) {
    int bits = 0;
    for (; value > 0; value >>= 1) ++bits;
    return bits;
}

/// Levels, slices and the grid they lie on.
void lay_out_grid(CrossbarLayer& l, const std::string& name) {
    const SchemeDescription& scheme = description_of(l.crossbar.scheme);
    const bool real = l.has_real_weights();
    LevelGrid& grid = l.grid;
    grid.cell_bits = l.crossbar.cell_bits;
    grid.q_max = real ? 1 : (int64_t{1} << (l.crossbar.weight_bits - 1)) - 1;
    const int64_t largest = scheme.largest_level(grid.q_max);
    grid.slices = real ? 1 : static_cast<int>((bits_of(largest) + grid.cell_bits - 1) / grid.cell_bits);
    grid.u_max = real ? largest : std::min((int64_t{1} << grid.cell_bits) - 1, largest);
    const double g_ratio = l.device.g_min / l.device.g_max;
    const double span = (1 - g_ratio) * kGridMax / l.crossbar.headroom;
    const int64_t half_steps = scheme.half_levels ? 2 : 1;
    l.g_step = static_cast<int64_t>(span / static_cast<double>(half_steps * grid.u_max)) * half_steps;
    if (l.g_step == 0)
        throw InputError(
            fmt::format("layer {}: {} levels a cell do not fit the conductance grid of {} codes: use fewer "
                        "crossbar.cell_bits or less crossbar.headroom",
                        name, grid.u_max + 1, kGridMax));
    l.g_min = static_cast<int64_t>(
        std::rint(g_ratio / (1 - g_ratio) * static_cast<double>(grid.u_max) * static_cast<double>(l.g_step)));
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

    const std::vector<double> scales = weight_scales(m, asked);
    for (double scale : scales)
        l.weight_lsb.push_back(static_cast<float>(scale / static_cast<double>(l.grid.q_max)));
    place_weights(l, m, scales);
    place_the_rest(l);
    if (!l.has_reference_column()) l.code_offset = joined_target(l, 0);  // of two polarities: 0
    return l;
}

}  // namespace mho
