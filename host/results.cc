#include "host/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "host/statistics.h"

namespace mho {

using nlohmann::ordered_json;

namespace {

std::vector<double> of_chips(const PointResult& point, double (ChipResult::*measure)() const) {
    std::vector<double> values;
    for (const ChipResult& chip : point.chips) values.push_back((chip.*measure)());
    return values;
}

ordered_json summary_json(const std::vector<double>& values, double confidence) {
    if (values.empty()) return nullptr;
    const Summary s = summarise(values, confidence);
    ordered_json j{{"mean", s.mean}, {"sd", s.sd}};
    j["ci_low"] = s.mean_interval ? ordered_json(s.mean_interval->low) : ordered_json(nullptr);
    j["ci_high"] = s.mean_interval ? ordered_json(s.mean_interval->high) : ordered_json(nullptr);
    j["min"] = s.min;
    j["median"] = s.median;
    j["max"] = s.max;
    return j;
}

/// A value of a swept key as JSON: its TOML text is JSON already, but for infinities.
ordered_json label_value(const std::string& text) {
    const ordered_json j = ordered_json::parse(text, nullptr, false);
    return j.is_discarded() ? ordered_json(text) : j;
}

ordered_json quantiles_json(const std::vector<double>& values, double confidence) {
    ordered_json list = ordered_json::array();
    for (double p : {0.05, 0.25, 0.5, 0.75, 0.95}) {
        const Quantile q = quantile(values, p, confidence);
        list.push_back({{"p", p},
                        {"value", q.value},
                        {"ci_low", q.low ? ordered_json(*q.low) : ordered_json(nullptr)},
                        {"ci_high", q.high ? ordered_json(*q.high) : ordered_json(nullptr)}});
    }
    return list;
}

/// Share of chips that reach the digital accuracy less 1, 2, 5 and 10 percent points: counted in hundredths
/// of an image, so that a chip which loses exactly that much is in.
ordered_json yield_json(const PointResult& point, const Outcome& digital, double confidence) {
    ordered_json list = ordered_json::array();
    for (int64_t lost : {1, 2, 5, 10}) {
        const int64_t least = std::max<int64_t>(0, 100 * digital.top1 - lost * digital.images);
        const int64_t reached = std::count_if(point.chips.begin(), point.chips.end(),
                                              [&](const Outcome& c) { return 100 * c.top1 >= least; });
        const Yield y = yield_of(reached, static_cast<int64_t>(point.chips.size()), confidence);
        list.push_back({{"at_least", static_cast<double>(least) / static_cast<double>(100 * digital.images)},
                        {"share", y.share},
                        {"ci_low", y.interval.low},
                        {"ci_high", y.interval.high}});
    }
    return list;
}

ordered_json variance_json(const PointResult& point) {
    std::vector<int64_t> correct;
    for (const ChipResult& chip : point.chips) correct.push_back(chip.top1);
    const VarianceComponents v = variance_components(correct, point.chips.front().images);
    return {{"chips", v.chips}, {"images", v.images}};
}

ordered_json point_json(const RunResult& run, const PointResult& point) {
    const double confidence = run.info.confidence;
    const std::vector<double> top1 = of_chips(point, &ChipResult::top1_fraction);
    ordered_json j;
    j["set"] = ordered_json::object();
    for (const auto& [key, value] : point.label.set) j["set"][key] = label_value(value);
    j["top1"] = summary_json(top1, confidence);
    j["top5"] = summary_json(of_chips(point, &ChipResult::top5_fraction), confidence);
    j["loss"] = summary_json(of_chips(point, &ChipResult::mean_loss), confidence);
    if (!point.chips.empty()) {
        j["top1_quantiles"] = quantiles_json(top1, confidence);
        j["yield"] = run.digital ? yield_json(point, *run.digital, confidence) : ordered_json(nullptr);
        j["variance"] = variance_json(point);
    }
    j["chips"] = ordered_json::array();
    double seconds = 0;
    for (const ChipResult& c : point.chips) {
        j["chips"].push_back({{"chip", c.chip},
                              {"top1", c.top1_fraction()},
                              {"top5", c.top5_fraction()},
                              {"loss", c.mean_loss()},
                              {"clipped_cells", c.clipped_cells}});
        seconds += c.seconds;
    }
    j["images_per_chip"] = run.info.images;
    j["seconds"] = seconds;
    return j;
}

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

}  // namespace

std::string results_json(const RunResult& run) {
    const RunInfo& i = run.info;
    ordered_json j;
    j["schema"] = 1;
    j["mho"] = i.version;
    j["config_sha256"] = i.config_sha256;
    j["network"] = {
        {"file", i.network_file}, {"sha256", i.network_sha256}, {"parameters", i.network_parameters}};
    j["data"] = {{"name", i.data_name}, {"images", i.images}};
    j["backend"] = i.backend;
    j["precision"] = i.precision;
    j["confidence"] = i.confidence;
    j["digital"] = nullptr;
    if (const auto& d = run.digital)
        j["digital"] = {{"top1", d->top1_fraction()}, {"top5", d->top5_fraction()}, {"loss", d->mean_loss()}};
    j["points"] = ordered_json::array();
    double seconds = 0, images = 0;
    for (const PointResult& point : run.points) {
        j["points"].push_back(point_json(run, point));
        for (const ChipResult& chip : point.chips) {
            seconds += chip.seconds;
            images += static_cast<double>(chip.images);
        }
    }
    j["images_per_second"] = seconds > 0 ? images / seconds : 0.0;  // of one worker: chips run side by side
    return j.dump(1) + "\n";
}

std::string chips_csv(const RunResult& run) {
    std::string text = "point";
    if (!run.points.empty())
        for (const auto& [key, value] : run.points[0].label.set) text += "," + key;
    text += ",chip,top1,top5,loss,clipped_cells\n";
    for (size_t p = 0; p < run.points.size(); ++p)
        for (const ChipResult& c : run.points[p].chips) {
            text += fmt::format("{}", p);
            for (const auto& [key, value] : run.points[p].label.set) text += "," + value;
            text += fmt::format(",{},{},{},{},{}\n", c.chip, c.top1_fraction(), c.top5_fraction(),
                                c.mean_loss(), c.clipped_cells);
        }
    return text;
}

std::string points_table(const RunResult& run) {
    std::vector<std::string> head;
    if (!run.points.empty())
        for (const auto& [key, value] : run.points[0].label.set) head.push_back(key);
    for (const char* name : {"chips", "top-1 %", "+-", "sd", "worst", "median", "top-5 %", "loss"})
        head.push_back(name);
    Rows rows{head};
    for (const PointResult& point : run.points) {
        std::vector<std::string> row;
        for (const auto& [key, value] : point.label.set) row.push_back(value);
        if (point.chips.empty()) {
            row.push_back("0");
            row.resize(head.size(), "-");
            rows.push_back(std::move(row));
            continue;
        }
        const Summary s = summarise(of_chips(point, &ChipResult::top1_fraction), run.info.confidence);
        const Summary five = summarise(of_chips(point, &ChipResult::top5_fraction), run.info.confidence);
        const Summary loss = summarise(of_chips(point, &ChipResult::mean_loss), run.info.confidence);
        row.push_back(fmt::format("{}", s.count));
        row.push_back(percent(s.mean));
        row.push_back(s.mean_interval ? percent(s.mean_interval->high - s.mean) : "-");
        row.push_back(percent(s.sd));
        row.push_back(percent(s.min));
        row.push_back(percent(s.median));
        row.push_back(percent(five.mean));
        row.push_back(fmt::format("{:.4f}", loss.mean));
        rows.push_back(std::move(row));
    }
    return digital_line(run) + "\n" + aligned(rows);
}

}  // namespace mho
