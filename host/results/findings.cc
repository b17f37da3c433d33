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

RightImages right_images(std::span<const ChipResult> chips, int64_t Outcome::*count) {
    RightImages all;
    for (const ChipResult& chip : chips) {
        all.right.push_back(chip.*count);
        all.images = chip.images;
    }
    return all;
}

std::optional<Summary> difference(const PointResult& point, const PointResult& reference, double confidence) {
    std::map<int64_t, ChipResult> others;
    for (const ChipResult& chip : reference.chips) others[chip.chip] = chip;
    std::vector<ChipResult> a, b;
    for (const ChipResult& chip : point.chips)
        if (const auto other = others.find(chip.chip); other != others.end()) {
            a.push_back(chip);
            b.push_back(other->second);
        }
    if (a.empty()) return std::nullopt;
    return paired_difference(right_images(a), right_images(b), confidence);
}

double clipped_share(const PointResult& point) {
    double clipped = 0, cells = 0;
    for (const ChipResult& chip : point.chips) {
        clipped += static_cast<double>(chip.clipped_cells);
        cells += static_cast<double>(chip.cells);
    }
    return cells > 0 ? clipped / cells : 0;
}

bool has_layers(const RunResult& run) {
    return !run.points.empty() && !run.points[0].label.set.empty() &&
           run.points[0].label.set.back().first == "layer";
}

bool is_whole(const RunResult& run, const PointResult& point) {
    return !has_layers(run) || point.label.set.back().second == "\"all\"";
}

std::vector<LayerLoss> layer_losses(const RunResult& run) {
    std::vector<LayerLoss> losses;
    for (const PointResult& point : run.points) {
        if (is_whole(run, point) || point.chips.empty() || !run.digital) continue;
        const RightImages chips = right_images(point.chips);
        const RightImages digital{std::vector<int64_t>(chips.right.size(), run.digital->top1), chips.images};
        losses.push_back({&point, paired_difference(digital, chips, run.info.confidence)});
    }
    std::stable_sort(losses.begin(), losses.end(),
                     [](const LayerLoss& a, const LayerLoss& b) { return a.lost.mean > b.lost.mean; });
    return losses;
}

std::optional<Spread> spread(const PointResult& point) {
    if (point.chips.size() < 2) return std::nullopt;
    double programming = 0, reading = 0, images = 0;
    for (const ChipResult& chip : point.chips) {
        programming += chip.programming_seconds;
        reading += chip.reading_seconds;
        images += static_cast<double>(chip.images);
    }
    Spread s{variance_components(right_images(point.chips)), 0, {}, {}};
    const double chips = static_cast<double>(point.chips.size());
    if (reading > 0) s.chip_cost = programming / chips / (reading / images);
    const double time = images + chips * s.chip_cost;
    s.suggested_images = s.variance.suggested_images(time, s.chip_cost);
    if (s.suggested_images) s.suggested_chips = time / (*s.suggested_images + s.chip_cost);
    return s;
}

std::optional<int64_t> chips_needed(const PointResult& point, double half_width, double confidence) {
    const std::span<const ChipResult> chips = point.chips;
    const int64_t all = std::ssize(chips);
    for (int64_t n = std::min(next_checkpoint(0), all); n > 0; n = std::min(next_checkpoint(n), all)) {
        if (narrow_enough(right_images(chips.first(static_cast<size_t>(n))), half_width, confidence))
            return n;
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
