#include "host/results/tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "host/results/findings.h"
#include "host/statistics/statistics.h"

namespace mho {
namespace {

using Rows = std::vector<std::vector<std::string>>;

/// Columns right-aligned, two spaces apart.
std::string aligned(const Rows& rows) {
    std::vector<size_t> width(rows[0].size(), 0);
    for (const auto& row : rows)
        for (size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (size_t c = 0; c < row.size(); ++c)
            line += fmt::format("{}{:>{}}", c ? "  " : "", row[c], width[c]);
        text += line + "\n";
    }
    return text;
}

std::string percent(double fraction) { return fmt::format("{:.2f}", 100 * fraction); }

std::string percent(const std::optional<double>& fraction) { return fraction ? percent(*fraction) : "-"; }

std::string range(const std::optional<Interval>& interval) {
    return interval ? fmt::format("{} to {}", percent(interval->low), percent(interval->high)) : "-";
}

std::string digital_lines(const RunResult& run) {
    const double confidence = run.info.confidence;
    const std::string about =
        fmt::format("intervals at {} %: of the mean over all chips, on these {} images and on new ones\n",
                    100 * confidence, run.info.images);
    const std::optional<Outcome>& d = run.digital;
    if (!d) return "digital: not finished\n" + about;
    return fmt::format("digital: top-1 {} % (new images: {}), top-5 {} %, loss {:.4f}\n",
                       percent(d->top1_fraction()), range(yield_of(d->top1, d->images, confidence).interval),
                       percent(d->top5_fraction()), d->mean_loss()) +
           about;
}

/// The swept keys, and what else the table has.
std::vector<std::string> head_of(const RunResult& run, std::vector<const char*> more) {
    std::vector<std::string> head;
    if (!run.points.empty())
        for (const auto& [key, value] : run.points[0].label.set) head.push_back(heading(run, key));
    head.insert(head.end(), more.begin(), more.end());
    return head;
}

std::vector<std::string> values_of(const PointLabel& label) {
    std::vector<std::string> row;
    for (const auto& [key, value] : label.set) row.push_back(value);
    return row;
}

constexpr size_t kNumbers = 9;  // of a point, beside what it sets

/// A point's row of the table, but for what the point sets.
std::vector<std::string> numbers_of(const PointResult& point, double confidence) {
    std::vector<std::string> row{fmt::format("{}", point.chips.size())};
    if (point.chips.empty()) {
        row.resize(kNumbers, "-");
        return row;
    }
    const Summary s = summarise(right_images(point.chips), confidence);
    const Summary five = summarise(right_images(point.chips, &Outcome::top5), confidence);
    const Summary loss = summarise(of_chips(point.chips, &ChipResult::mean_loss), confidence);
    row.insert(row.end(),
               {percent(s.mean), range(s.mean_interval), range(s.new_images_interval), percent(s.sd),
                percent(s.min), percent(s.median), percent(five.mean), fmt::format("{:.4f}", loss.mean)});
    return row;
}

/// A table for a narrow terminal: of each row its first `keys` columns as a heading, then a line a number.
std::string blocks(const Rows& rows, size_t keys) {
    std::string text;
    for (size_t r = 1; r < rows.size(); ++r) {
        for (size_t c = 0; c < keys; ++c) text += rows[0][c] + " = " + rows[r][c] + "\n";
        for (size_t c = keys; c < rows[0].size(); ++c)
            text += fmt::format("  {:<13}{}\n", rows[0][c], rows[r][c]);
    }
    return text;
}

std::string half_width(const Summary& s) { return percent(s.half_width()); }

/// A digital network that only guesses: its interval on new images reaches what guessing gives.
std::string chance_line(const RunResult& run) {
    if (!run.digital || run.info.classes < 2) return "";
    const double chance = 1 / static_cast<double>(run.info.classes);
    const bool far = run.digital->top1_fraction() >= 2 * chance;  // where few images leave much open
    if (far || yield_of(run.digital->top1, run.digital->images, run.info.confidence).interval.low > chance)
        return "";
    return fmt::format(
        "digital top-1 is chance ({} classes): untrained weights, wrong labels or another normalisation?\n",
        run.info.classes);
}

/// A point where an error reaches farther than cells do. Of idle cells, at 0, any error cuts half: only more
/// than half of all cells tells.
std::string clipped_line(const RunResult& run) {
    double most = 0.5;
    const PointResult* worst = nullptr;
    for (const PointResult& point : run.points) {
        const double share = clipped_share(point);
        if (share <= most) continue;
        most = share;
        worst = &point;
    }
    if (!worst) return "";
    const std::string label = words(worst->label);
    return fmt::format(
        "{} % of the cells were cut to 0 or to what they can hold{}: the programming error is larger than "
        "their range\n",
        percent(most), label.empty() ? "" : " at " + label);
}

std::string layers_line(const RunResult& run) {
    const std::vector<LayerLoss> losses = layer_losses(run);
    if (losses.empty()) return "";
    const LayerLoss& most = losses.front();
    return fmt::format("noisy alone, {} loses most: {} points of top-1 ({})\n", words(most.point->label),
                       percent(most.lost.mean), range(most.lost.mean_interval));
}

std::string differences_line(const RunResult& run) {
    int64_t others = 0, differ = 0;
    for (size_t p = 1; p < run.points.size(); ++p) {
        if (!is_whole(run, run.points[p])) continue;
        const auto d = difference(run.points[p], run.points[0], run.info.confidence);
        if (!d || !d->mean_interval) continue;
        ++others;
        differ += d->mean_interval->low > 0 || d->mean_interval->high < 0;
    }
    if (others == 0) return "";
    return fmt::format("compared with the first point, chip by chip: {} of {} other points differ at {} %\n",
                       differ, others, 100 * run.info.confidence);
}

/// The numbers from the smallest to the largest, as words.
std::string from_to(const std::vector<double>& numbers) {
    const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
    if (std::round(*low) == std::round(*high)) return fmt::format("{:.0f}", *low);
    return fmt::format("{:.0f} to {:.0f}", *low, *high);
}

std::string images_line(const RunResult& run) {
    std::vector<double> images, chips;
    for (const PointResult& point : run.points)
        if (const auto s = spread(point); s && s->suggested_images) {
            images.push_back(*s->suggested_images);
            chips.push_back(*s->suggested_chips);
        }
    if (images.empty()) return "";
    return fmt::format(
        "images a chip: {} here; on new images {} on {} chips would tell most in the same time\n",
        run.info.images, from_to(images), from_to(chips));
}

std::string cost_line(const RunResult& run) {
    const std::optional<NeededCost> cost = cost_needed(run);
    if (!cost) return "";
    if (run.info.until > 0)
        return fmt::format("an interval of +- {} % took {} of {} chips{}\n", percent(cost->half_width),
                           cost->chips, cost->of,
                           cost->points_short ? fmt::format("; {} of {} points did not reach it",
                                                            cost->points_short, run.points.size())
                                              : "");
    if (cost->chips == cost->of)
        return fmt::format("an interval of +- {} % at every point took all {} chips\n",
                           percent(cost->half_width), cost->of);
    return fmt::format(
        "an interval of +- {} % at every point took {} of these {} chips: monte_carlo.until = {} stops "
        "there\n",
        percent(cost->half_width), cost->chips, cost->of, cost->half_width);
}

}  // namespace

std::string words(const PointLabel& label, const std::set<std::string>& without) {
    std::vector<std::string> all;
    for (const auto& [key, value] : label.set)
        if (!without.contains(key)) all.push_back(key + " = " + value);
    return fmt::format("{}", fmt::join(all, ", "));
}

std::string heading(const RunResult& run, const std::string& key) {
    const auto unit = run.info.units.find(key);
    return unit == run.info.units.end() ? key : key + ", " + unit->second;
}

std::string points_table(const RunResult& run, int columns) {
    const std::vector<std::string> head = head_of(
        run, {"chips", "top-1 %", "these images", "new images", "sd", "worst", "median", "top-5 %", "loss"});
    Rows rows{head};
    for (const PointResult& point : run.points) {
        std::vector<std::string> row = values_of(point.label);
        const std::vector<std::string> numbers = numbers_of(point, run.info.confidence);
        row.insert(row.end(), numbers.begin(), numbers.end());
        rows.push_back(std::move(row));
    }
    const std::string table = aligned(rows);
    const bool fits = table.find('\n') <= static_cast<size_t>(columns);
    return digital_lines(run) + "\n" + (fits ? table : blocks(rows, head.size() - kNumbers));
}

std::string findings_text(const RunResult& run) {
    return chance_line(run) + clipped_line(run) + differences_line(run) + layers_line(run) +
           images_line(run) + cost_line(run);
}

std::string differences_table(const RunResult& run) {
    Rows rows{head_of(run, {"chips", "top-1, points", "+-", "sd"})};
    for (size_t p = 1; p < run.points.size(); ++p) {
        const auto d = difference(run.points[p], run.points[0], run.info.confidence);
        if (!d) continue;
        std::vector<std::string> row = values_of(run.points[p].label);
        for (const std::string& cell : {fmt::format("{}", d->count), fmt::format("{:+.2f}", 100 * d->mean),
                                        half_width(*d), percent(d->sd)})
            row.push_back(cell);
        rows.push_back(row);
    }
    return aligned(rows);
}

std::string layers_table(const RunResult& run) {
    Rows rows{head_of(run, {"chips", "top-1 lost", "interval", "sd"})};
    for (const LayerLoss& loss : layer_losses(run)) {
        std::vector<std::string> row = values_of(loss.point->label);
        for (const std::string& cell : {fmt::format("{}", loss.lost.count), percent(loss.lost.mean),
                                        range(loss.lost.mean_interval), percent(loss.lost.sd)})
            row.push_back(cell);
        rows.push_back(row);
    }
    return aligned(rows);
}

std::string spread_table(const RunResult& run) {
    Rows rows{
        head_of(run, {"sd of chips", "sd of images", "a chip costs, images", "images a chip", "chips"})};
    for (const PointResult& point : run.points) {
        const auto s = spread(point);
        if (!s) continue;
        std::vector<std::string> row = values_of(point.label);
        const double images = static_cast<double>(run.info.images);
        for (const std::string& cell :
             {percent(std::sqrt(s->variance.chips)), percent(std::sqrt(s->variance.images / images)),
              fmt::format("{:.1f}", s->chip_cost),
              s->suggested_images ? fmt::format("{:.0f}", *s->suggested_images) : std::string("-"),
              s->suggested_chips ? fmt::format("{:.0f}", *s->suggested_chips) : std::string("-")})
            row.push_back(cell);
        rows.push_back(row);
    }
    return aligned(rows);
}

}  // namespace mho
