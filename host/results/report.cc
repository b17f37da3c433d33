#include "host/results/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>

#include "host/results/findings.h"
#include "host/results/gnuplot.h"
#include "host/results/tables.h"
#include "host/statistics/statistics.h"

namespace mho {
namespace {

// --- what is plotted

std::vector<double> top1_percent(const PointResult& point) {
    std::vector<double> values;
    for (const ChipResult& chip : point.chips) values.push_back(100 * chip.top1_fraction());
    return values;
}

std::optional<double> number(const std::string& text) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    return end != text.c_str() && *end == '\0' ? std::optional(value) : std::nullopt;
}

/// Of a line or bars in a plot.
std::string title(const PointLabel& label, const std::set<std::string>& without = {}) {
    const std::string text = words(label, without);
    return text.empty() ? "all chips" : text;
}

/// What one swept key takes over the run, in the order of the points.
struct SweptKey {
    std::string name;
    std::vector<std::string> values;  ///< each once

    bool numeric() const { return std::all_of(values.begin(), values.end(), number); }
    /// Where a value stands on the axis of a plot: numbers where they are, words side by side.
    double place(const std::string& value) const {
        if (numeric()) return *number(value);
        return static_cast<double>(std::find(values.begin(), values.end(), value) - values.begin());
    }
};

/// The keys that differ between points; not "layer", which has a plot of its own.
std::vector<SweptKey> swept_keys(const RunResult& run) {
    std::vector<SweptKey> keys;
    const size_t count = run.points.empty() ? 0 : run.points[0].label.set.size() - has_layers(run);
    for (size_t k = 0; k < count; ++k) {
        SweptKey key{run.points[0].label.set[k].first, {}};
        for (const PointResult& p : run.points) {
            const std::string& value = p.label.set[k].second;
            if (std::find(key.values.begin(), key.values.end(), value) == key.values.end())
                key.values.push_back(value);
        }
        if (key.values.size() > 1) keys.push_back(key);
    }
    return keys;
}

/// Whether the keys go side by side (zip = true) and not over all their combinations.
bool zipped(const RunResult& run, const std::vector<SweptKey>& keys) {
    std::set<std::string> points;  // without their layers
    for (const PointResult& p : run.points) points.insert(title(p.label, {"layer"}));
    size_t combinations = 1;
    for (const SweptKey& key : keys) combinations *= key.values.size();
    return points.size() < combinations;
}

/// Points that differ in one key alone (zipped: in all of them, in step), by that key's place on the axis.
using Series = std::map<std::string, std::vector<std::pair<double, const PointResult*>>>;

Series series_along(const RunResult& run, const SweptKey& along, const std::vector<SweptKey>& keys) {
    std::set<std::string> free{along.name};
    if (zipped(run, keys))
        for (const SweptKey& key : keys) free.insert(key.name);
    Series series;
    for (const PointResult& point : run.points)
        for (const auto& [key, value] : point.label.set)
            if (key == along.name && !point.chips.empty())
                series[title(point.label, free)].push_back({along.place(value), &point});
    for (auto& [name, points] : series)
        std::stable_sort(points.begin(), points.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
    return series;
}

/// Points with every analog layer noisy, and at least one chip: what histogram and yield show.
std::vector<const PointResult*> whole_chips(const RunResult& run) {
    std::vector<const PointResult*> points;
    for (const PointResult& p : run.points)
        if (!p.chips.empty() && is_whole(run, p)) points.push_back(&p);
    return points;
}

// --- gnuplot's language

/// As a string of gnuplot's that takes no escapes.
std::string quoted(const std::string& text) {
    std::string out;
    for (char c : text) out += c == '\'' ? "''" : std::string(1, c);
    return "'" + out + "'";
}

constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                    "#e69f00", "#56b4e9", "#000000"};
std::string colour(size_t i) { return kColours[i % std::size(kColours)]; }

std::string axes(const std::string& x, const std::string& y) {
    return fmt::format(
        "set xlabel {} noenhanced\nset ylabel {}\nset key outside below noenhanced\nset grid\nset border 3\n"
        "set tics nomirror\n",
        quoted(x), quoted(y));
}

/// What gnuplot is given, and how high the picture must be for the titles below it.
struct Plot {
    std::string script;
    int height = 400;
};

Plot plot(const std::string& before, const std::vector<std::string>& parts) {
    constexpr int kTitleLine = 18, kTitlesALine = 2, kFree = 8;  // pixels; what fits without more height
    const int lines = std::max(0, static_cast<int>(parts.size()) - kFree) / kTitlesALine;
    std::string text = before + "plot ";
    for (size_t i = 0; i < parts.size(); ++i) text += (i ? ", \\\n  " : "") + parts[i];
    return {text + "\n", 400 + lines * kTitleLine};
}

/// The values of a key whose values are words, as tics of the x axis.
std::string category_tics(const SweptKey& key) {
    if (key.numeric()) return "";
    std::string tics;
    for (const std::string& value : key.values)
        tics += fmt::format("{}{} {}", tics.empty() ? "" : ", ", quoted(value), key.place(value));
    return fmt::format("set xtics ({}) noenhanced\nset xrange [-0.5:{}]\n", tics,
                       static_cast<double>(key.values.size()) - 0.5);
}

/// Autoscaled, but never beyond what a percentage can be.
constexpr char kPercent[] = "set yrange [0<*:*<100]\n", kPercentAcross[] = "set xrange [0<*:*<100]\n";

/// Mean with its interval, every chip a dot, the digital accuracy a line.
Plot accuracy_plot(const RunResult& run, const SweptKey& key, const std::vector<SweptKey>& keys) {
    std::string data;
    std::vector<std::string> parts;
    size_t i = 0;
    for (const auto& [name, points] : series_along(run, key, keys)) {
        data += fmt::format("$chips{} << EOD\n", i);
        for (const auto& [x, point] : points)
            for (double y : top1_percent(*point)) data += fmt::format("{} {}\n", x, y);
        data += fmt::format("EOD\n$means{} << EOD\n", i);
        for (const auto& [x, point] : points) {
            const Summary s = summarise(right_images(point->chips), run.info.confidence);
            const Interval interval = s.mean_interval.value_or(Interval{s.mean, s.mean});
            data += fmt::format("{} {} {} {}\n", x, 100 * s.mean, 100 * interval.low, 100 * interval.high);
        }
        data += "EOD\n";
        parts.push_back(fmt::format(
            "$chips{0} using 1:2 with points pointtype 7 pointsize 0.3 linecolor rgb '{1}' notitle", i,
            colour(i)));
        parts.push_back(
            fmt::format("$means{0} using 1:2:3:4 with yerrorlines linewidth 1.5 pointtype 5 pointsize 0.4 "
                        "linecolor rgb '{1}' title {2}",
                        i, colour(i), quoted(name)));
        ++i;
    }
    if (run.digital)
        parts.push_back(fmt::format("{} with lines dashtype 2 linecolor rgb '#666666' title 'digital'",
                                    100 * run.digital->top1_fraction()));
    return plot(data + axes(heading(run, key.name), "top-1 accuracy, %") + kPercent + category_tics(key),
                parts);
}

/// How many chips reach which accuracy: a histogram, and the yield as a function of the accuracy asked for.
Plot histogram_plot(const RunResult& run) {
    const std::vector<const PointResult*> points = whole_chips(run);
    std::vector<double> all;
    for (const PointResult* point : points)
        for (double y : top1_percent(*point)) all.push_back(y);
    const auto [low, high] = std::minmax_element(all.begin(), all.end());
    constexpr double kBins = 40;
    const double width = std::max((*high - *low) / kBins, 100.0 / static_cast<double>(run.info.images));
    std::string data;
    std::vector<std::string> parts;
    for (size_t i = 0; i < points.size(); ++i) {
        std::map<int64_t, int64_t> bins;
        for (double y : top1_percent(*points[i])) ++bins[static_cast<int64_t>((y - *low) / width)];
        data += fmt::format("$h{} << EOD\n", i);
        for (const auto& [bin, count] : bins)
            data += fmt::format("{} {}\n", *low + (static_cast<double>(bin) + 0.5) * width, count);
        data += "EOD\n";
        parts.push_back(
            fmt::format("$h{0} using 1:2 with boxes fillstyle solid 0.35 linecolor rgb '{1}' title {2}", i,
                        colour(i), quoted(title(points[i]->label))));
    }
    return plot(data + axes("top-1 accuracy, %", "chips") + kPercentAcross +
                    fmt::format("set boxwidth {}\nset yrange [0:]\n", width),
                parts);
}

Plot yield_plot(const RunResult& run) {
    const std::vector<const PointResult*> points = whole_chips(run);
    std::string data;
    std::vector<std::string> parts;
    for (size_t i = 0; i < points.size(); ++i) {
        std::vector<double> values = top1_percent(*points[i]);
        std::sort(values.begin(), values.end());
        data += fmt::format("$y{} << EOD\n", i);
        for (double at : values) {
            const Yield y = yield_at(values, at, run.info.confidence);
            data +=
                fmt::format("{} {} {} {}\n", at, 100 * y.share, 100 * y.interval.low, 100 * y.interval.high);
        }
        data += "EOD\n";
        parts.push_back(
            fmt::format("$y{0} using 1:3:4 with filledcurves fillstyle transparent solid 0.15 linecolor rgb "
                        "'{1}' notitle",
                        i, colour(i)));
        parts.push_back(
            fmt::format("$y{0} using 1:2 with fsteps linewidth 1.5 dashtype {3} linecolor rgb '{1}' "
                        "title {2}",
                        i, colour(i), quoted(title(points[i]->label)), i / std::size(kColours) + 1));
    }
    return plot(data + axes("top-1 accuracy asked for, %", "chips that reach it, %") + kPercentAcross +
                    "set yrange [0:100]\n",
                parts);
}

/// Accuracy lost where one layer alone is noisy, a bar each, the longest first.
Plot layers_plot(const RunResult& run) {
    std::map<std::string, std::string> groups;  // the other keys -> data
    for (const LayerLoss& loss : layer_losses(run)) {
        const Interval interval = loss.lost.mean_interval.value_or(Interval{loss.lost.mean, loss.lost.mean});
        groups[title(loss.point->label, {"layer"})] +=
            fmt::format("{} {} {} {}\n", loss.point->label.set.back().second, 100 * loss.lost.mean,
                        100 * interval.low, 100 * interval.high);
    }
    std::string data;
    std::vector<std::string> parts;
    for (const auto& [name, rows] : groups) {
        const size_t i = parts.size();
        data += fmt::format("$l{} << EOD\n{}EOD\n", i, rows);
        parts.push_back(fmt::format("$l{0} using 2:3:4:xtic(1) linecolor rgb '{1}' title {2}", i, colour(i),
                                    quoted(name)));
    }
    return plot(
        data + axes("", "top-1 lost, percent points") +
            "set style data histograms\nset style histogram errorbars gap 1\nset style fill solid 0.5\n"
            "set xtics rotate by -45 noenhanced\n",
        parts);
}

// --- the page

std::string escaped(const std::string& text) {
    std::string out;
    for (char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '&')
            out += "&amp;";
        else
            out += c;
    }
    return out;
}

class Page {
  public:
    void section(const std::string& heading, const std::string& content) {
        body_ += fmt::format("<h2>{}</h2>\n{}\n", heading, content);
    }
    void plot(const std::string& heading, const Plot& plot) {
        constexpr int kWidth = 720;
        const std::optional<std::string> svg = gnuplot_svg(plot.script, kWidth, plot.height);
        section(heading, svg ? *svg
                             : "<p>No plot: gnuplot is not installed. Install it and run <code>mho "
                               "report</code> again.</p>");
    }
    std::string html(const std::string& title) const {
        return fmt::format(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{0}</title>\n"
            "<style>body{{font:15px sans-serif;max-width:760px;margin:2em "
            "auto;color:#222}}pre{{background:#f4f4f4;padding:1em;"
            "overflow-x:auto}}svg{{max-width:100%;height:auto}}</style>\n<h1>{0}</h1>\n{1}</html>\n",
            escaped(title), body_);
    }

  private:
    std::string body_;
};

/// What stands in tables and sentences.
void add_findings(Page& page, const RunResult& run) {
    const auto table = [](const std::string& about, const std::string& text) {
        return "<p>" + about + "</p><pre>" + escaped(text) + "</pre>";
    };
    if (has_layers(run))
        page.section("Each layer alone", table("Top-1 lost where that layer alone is noisy, in percentage "
                                               "points: digital less the mean over chips.",
                                               layers_table(run)));
    else if (run.points.size() > 1)
        page.section("Against the first point",
                     table("Top-1 less that of the first point, in percentage points, on chips of the same "
                           "number: they have the same devices.",
                           differences_table(run)));
    page.section(
        "Where the spread comes from",
        table("Standard deviations of top-1, in percentage points: between chips, and from trying them on "
              "these "
              "images only. What programming a chip costs, in images, as this run took them; and the "
              "images a chip, and chips, that would have told most of new images in the same time.",
              spread_table(run)));
}

}  // namespace

std::string report_html(const RunResult& run) {
    Page page;
    const RunInfo& i = run.info;
    page.section("Result", "<pre>" + escaped(points_table(run) + "\n" + findings_text(run)) + "</pre>");
    if (!whole_chips(run).empty()) {
        const std::vector<SweptKey> keys = swept_keys(run);
        for (const SweptKey& key : keys)
            page.plot("Accuracy against " + escaped(key.name), accuracy_plot(run, key, keys));
        if (has_layers(run) && run.digital) page.plot("Accuracy lost by each layer alone", layers_plot(run));
        page.plot("Chips", histogram_plot(run));
        page.plot("Yield", yield_plot(run));
        add_findings(page, run);
    }
    page.section(
        "Reproduce",
        fmt::format(
            "<p>mho {}, network <code>{}</code> (SHA-256 {}), data {} ({} images a chip), backend {}. "
            "Save the config below as config.toml, then:</p><pre>{}</pre>",
            escaped(i.version), escaped(i.network_file), i.network_sha256, escaped(i.data_name), i.images,
            escaped(i.backend), escaped(i.command)));
    page.section("Config", "<pre>" + escaped(i.config_toml) + "</pre>");
    return page.html(i.network_file + " on " + i.data_name);
}

}  // namespace mho
