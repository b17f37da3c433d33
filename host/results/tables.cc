#include "host/results/tables.h"

#include <fmt/format.h>

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

std::string digital_line(const RunResult& run) {
    const std::string about =
        fmt::format("({} images; intervals at {} %)", run.info.images, 100 * run.info.confidence);
    if (!run.digital) return fmt::format("digital: not finished {}\n", about);
    return fmt::format("digital: top-1 {} %, top-5 {} %, loss {:.4f} {}\n",
                       percent(run.digital->top1_fraction()), percent(run.digital->top5_fraction()),
                       run.digital->mean_loss(), about);
}

/// The swept keys, and what else the table has.
std::vector<std::string> head_of(const RunResult& run, std::vector<const char*> more) {
    std::vector<std::string> head;
    if (!run.points.empty())
        for (const auto& [key, value] : run.points[0].label.set) head.push_back(key);
    head.insert(head.end(), more.begin(), more.end());
    return head;
}

std::vector<std::string> values_of(const PointLabel& label) {
    std::vector<std::string> row;
    for (const auto& [key, value] : label.set) row.push_back(value);
    return row;
}

std::string half_width(const Summary& s) { return s.half_width() ? percent(*s.half_width()) : "-"; }

std::string differences_line(const RunResult& run) {
    int64_t others = 0, differ = 0;
    for (size_t p = 1; p < run.points.size(); ++p) {
        const auto d = difference(run.points[p], run.points[0], run.info.confidence);
        if (!d || !d->mean_interval) continue;
        ++others;
        differ += d->mean_interval->low > 0 || d->mean_interval->high < 0;
    }
    if (others == 0) return "";
    return fmt::format("compared with the first point, chip by chip: {} of {} other points differ at {} %\n",
                       differ, others, 100 * run.info.confidence);
}

std::string images_line(const RunResult& run) {
    double low = INFINITY, high = 0;
    for (const PointResult& point : run.points)
        if (const auto s = spread(point); s && s->suggested_images) {
            low = std::min(low, *s->suggested_images);
            high = std::max(high, *s->suggested_images);
        }
    if (high == 0) return "";
    const std::string range = std::round(low) == std::round(high)
                                  ? fmt::format("{:.0f}", low)
                                  : fmt::format("{:.0f} to {:.0f}", low, high);
    return fmt::format("images a chip: {} here; {} would give the narrowest interval for the time\n",
                       run.info.images, range);
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

std::string points_table(const RunResult& run) {
    const std::vector<std::string> head =
        head_of(run, {"chips", "top-1 %", "+-", "sd", "worst", "median", "top-5 %", "loss"});
    Rows rows{head};
    for (const PointResult& point : run.points) {
        std::vector<std::string> row = values_of(point.label);
        if (point.chips.empty()) {
            row.push_back("0");
            row.resize(head.size(), "-");
            rows.push_back(std::move(row));
            continue;
        }
        const Summary s = summarise(top1_of(point.chips), run.info.confidence);
        const Summary five =
            summarise(of_chips(point.chips, &ChipResult::top5_fraction), run.info.confidence);
        const Summary loss = summarise(of_chips(point.chips, &ChipResult::mean_loss), run.info.confidence);
        row.push_back(fmt::format("{}", s.count));
        row.push_back(percent(s.mean));
        row.push_back(half_width(s));
        row.push_back(percent(s.sd));
        row.push_back(percent(s.min));
        row.push_back(percent(s.median));
        row.push_back(percent(five.mean));
        row.push_back(fmt::format("{:.4f}", loss.mean));
        rows.push_back(std::move(row));
    }
    return digital_line(run) + "\n" + aligned(rows);
}

std::string findings_text(const RunResult& run) {
    return differences_line(run) + images_line(run) + cost_line(run);
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

std::string spread_table(const RunResult& run) {
    Rows rows{head_of(run, {"sd of chips", "sd of images", "a chip costs, images", "images a chip"})};
    for (const PointResult& point : run.points) {
        const auto s = spread(point);
        if (!s) continue;
        std::vector<std::string> row = values_of(point.label);
        const double images = static_cast<double>(run.info.images);
        for (const std::string& cell :
             {percent(std::sqrt(s->variance.chips)), percent(std::sqrt(s->variance.images / images)),
              fmt::format("{:.1f}", s->chip_cost),
              s->suggested_images ? fmt::format("{:.0f}", *s->suggested_images) : std::string("-")})
            row.push_back(cell);
        rows.push_back(row);
    }
    return aligned(rows);
}

}  // namespace mho
