#include "host/chip/parameter_range.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace mho {
namespace {

/// Quantile p in [0, 1] of sorted values, linear between order statistics.
double quantile(const std::vector<double>& sorted, double p) {
    const double place = p * static_cast<double>(sorted.size() - 1);
    const size_t below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, sorted.size() - 1);
    return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

double range_of(std::vector<double> values, const ParameterConfig& measured) {
    if (values.empty()) return 0;
    if (measured.range == RangeRule::max_abs)
        for (double& v : values) v = std::abs(v);
    std::sort(values.begin(), values.end());
    if (measured.range == RangeRule::max_abs) return quantile(values, measured.quantile);
    const double tail = (1 - measured.quantile) / 2;
    return (quantile(values, 1 - tail) - quantile(values, tail)) / 2;
}

}  // namespace

double parameter_range(std::span<const float> values, const ParameterConfig& measured) {
    return range_of({values.begin(), values.end()}, measured);
}

LayerRanges layer_ranges(std::span<const float> weight, std::span<const float> bias,
                         const ParameterConfig& measured) {
    const LayerRanges own{parameter_range(weight, measured), parameter_range(bias, measured)};
    if (measured.scale == ParameterScale::own) return own;
    if (measured.scale == ParameterScale::bi_scale && (own.weight == 0 || own.bias == 0)) return own;

    const double factor = measured.scale == ParameterScale::single ? 1 : own.bias / own.weight;
    std::vector<double> merged(weight.begin(), weight.end());
    for (float b : bias) merged.push_back(b / factor);
    const double range = range_of(std::move(merged), measured);
    return {range, factor * range};
}

}  // namespace mho
