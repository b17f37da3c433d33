#include "host/results/findings.h"

#include <algorithm>
#include <map>
#include <span>

namespace mho {
namespace {

/// Nothing where a point was wider after its last chip.
std::optional<int64_t> chips_needed_at_every_point(const RunResult& run, double half_width) {
    int64_t chips = 0;
    for (const PointResult& point : run.points) {
        const std::optional<int64_t> needed = chips_needed(point, half_width, run.info.confidence);
        if (!needed) return std::nullopt;
        chips += *needed;
    }
    return chips;
}

/// Whether the point ran all the chips that it was asked for, or stopped where `until` let it.
bool finished(const RunInfo& info, const PointResult& point) {
    if (std::ssize(point.chips) >= info.chips) return true;
    return info.until > 0 && chips_needed(point, info.until, info.confidence).has_value();
}

}  // namespace

std::vector<double> of_chips(std::span<const ChipResult> chips, double (ChipResult::*measure)() const) {
    std::vector<double> values;
    for (const ChipResult& chip : chips) values.push_back((chip.*measure)());
    return values;
}

std::vector<double> top1_of(std::span<const ChipResult> chips) {
    return of_chips(chips, &ChipResult::top1_fraction);
}

std::optional<Summary> difference(const PointResult& point, const PointResult& reference, double confidence) {
    std::map<int64_t, double> others;
    for (const ChipResult& chip : reference.chips) others[chip.chip] = chip.top1_fraction();
    std::vector<double> a, b;
    for (const ChipResult& chip : point.chips)
        if (const auto other = others.find(chip.chip); other != others.end()) {
            a.push_back(chip.top1_fraction());
            b.push_back(other->second);
        }
    if (a.empty()) return std::nullopt;
    return paired_difference(a, b, confidence);
}

std::optional<Spread> spread(const PointResult& point) {
    if (point.chips.size() < 2) return std::nullopt;
    std::vector<int64_t> correct;
    double programming = 0, reading = 0, images = 0;
    for (const ChipResult& chip : point.chips) {
        correct.push_back(chip.top1);
        programming += chip.programming_seconds;
        reading += chip.reading_seconds;
        images += static_cast<double>(chip.images);
    }
    Spread s{variance_components(correct, point.chips.front().images), 0, {}};
    const double chips = static_cast<double>(point.chips.size());
    if (reading > 0) s.chip_cost = programming / chips / (reading / images);
    s.suggested_images = s.variance.suggested_images(s.chip_cost);
    return s;
}

std::optional<int64_t> chips_needed(const PointResult& point, double half_width, double confidence) {
    const std::vector<double> top1 = top1_of(point.chips);
    const int64_t all = std::ssize(top1);
    for (int64_t n = std::min(next_checkpoint(0), all); n > 0; n = std::min(next_checkpoint(n), all)) {
        if (narrow_enough(std::span(top1).first(static_cast<size_t>(n)), half_width, confidence)) return n;
        if (n == all) break;
    }
    return std::nullopt;
}

std::optional<NeededCost> cost_needed(const RunResult& run) {
    const auto is_finished = [&](const PointResult& point) { return finished(run.info, point); };
    if (run.points.empty() || !std::all_of(run.points.begin(), run.points.end(), is_finished))
        return std::nullopt;
    if (run.info.until > 0) {
        NeededCost cost{run.info.until, 0, std::ssize(run.points) * run.info.chips, 0};
        for (const PointResult& point : run.points) {
            const auto needed = chips_needed(point, run.info.until, run.info.confidence);
            cost.chips += needed.value_or(std::ssize(point.chips));
            cost.points_short += !needed;
        }
        return cost;
    }
    int64_t all = 0;
    for (const PointResult& point : run.points) all += std::ssize(point.chips);
    for (double half_width : kHalfWidths)
        if (const auto needed = chips_needed_at_every_point(run, half_width))
            return NeededCost{half_width, *needed, all, 0};
    return std::nullopt;
}

}  // namespace mho
