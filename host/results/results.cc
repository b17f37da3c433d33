#include "host/results/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "host/results/findings.h"
#include "host/statistics/statistics.h"

namespace mho {

using nlohmann::ordered_json;

namespace {

void add_interval(ordered_json& j, const std::optional<Interval>& interval) {
    j["ci_low"] = interval ? ordered_json(interval->low) : ordered_json(nullptr);
    j["ci_high"] = interval ? ordered_json(interval->high) : ordered_json(nullptr);
}

ordered_json or_null(const std::optional<double>& number) {
    return number ? ordered_json(*number) : ordered_json(nullptr);
}

ordered_json summary_json(const Summary& s, bool accuracy) {
    ordered_json j{{"mean", s.mean}, {"sd", or_null(s.sd)}};
    add_interval(j, s.mean_interval);
    if (accuracy) {
        j["new_images"] = ordered_json::object();
        add_interval(j["new_images"], s.new_images_interval);
    }
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
        list.push_back(
            {{"p", p}, {"value", q.value}, {"ci_low", or_null(q.low)}, {"ci_high", or_null(q.high)}});
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

/// The point less the first one, chip by chip.
ordered_json difference_json(const RunResult& run, const PointResult& point) {
    const PointResult& first = run.points[0];
    if (&point == &first) return nullptr;
    const std::optional<Summary> d = difference(point, first, run.info.confidence);
    if (!d) return nullptr;
    ordered_json j{{"chips", d->count}, {"mean", d->mean}, {"sd", or_null(d->sd)}};
    add_interval(j, d->mean_interval);
    return j;
}

/// Chips that each half width took.
ordered_json needed_json(const PointResult& point, double confidence) {
    ordered_json list = ordered_json::array();
    for (double half_width : kHalfWidths) {
        const std::optional<int64_t> chips = chips_needed(point, half_width, confidence);
        list.push_back(
            {{"half_width", half_width}, {"chips", chips ? ordered_json(*chips) : ordered_json(nullptr)}});
    }
    return list;
}

ordered_json chips_json(const PointResult& point) {
    ordered_json list = ordered_json::array();
    for (const ChipResult& c : point.chips)
        list.push_back({{"chip", c.chip},
                        {"top1", c.top1_fraction()},
                        {"top5", c.top5_fraction()},
                        {"loss", c.mean_loss()},
                        {"clipped_cells", c.clipped_cells}});
    return list;
}

double seconds_of(const PointResult& point) {
    double seconds = 0;
    for (const ChipResult& c : point.chips) seconds += c.seconds;
    return seconds;
}

ordered_json point_json(const RunResult& run, const PointResult& point) {
    const double confidence = run.info.confidence;
    const RightImages top1 = right_images(point.chips);
    const bool any = !point.chips.empty();
    const std::optional<Spread> s = spread(point);
    ordered_json j;
    j["set"] = ordered_json::object();
    for (const auto& [key, value] : point.label.set) j["set"][key] = label_value(value);
    j["top1"] = j["top5"] = j["loss"] = j["top1_quantiles"] = nullptr;
    if (any) {
        j["top1"] = summary_json(summarise(top1, confidence), true);
        j["top5"] = summary_json(summarise(right_images(point.chips, &Outcome::top5), confidence), true);
        j["loss"] = summary_json(summarise(of_chips(point.chips, &ChipResult::mean_loss), confidence), false);
        j["top1_quantiles"] = quantiles_json(top1.fractions(), confidence);
    }
    j["yield"] = any && run.digital ? yield_json(point, *run.digital, confidence) : ordered_json(nullptr);
    j["variance"] = nullptr;
    if (s) j["variance"] = {{"chips", s->variance.chips}, {"images", s->variance.images}};
    j["difference"] = difference_json(run, point);
    j["needed"] = needed_json(point, confidence);
    j["chips"] = chips_json(point);
    j["images_per_chip"] = run.info.images;
    j["seconds"] = seconds_of(point);
    j["chip_cost_images"] = s ? ordered_json(s->chip_cost) : ordered_json(nullptr);
    j["suggested_images"] = s ? or_null(s->suggested_images) : nullptr;
    j["suggested_chips"] = s ? or_null(s->suggested_chips) : nullptr;
    return j;
}

}  // namespace

std::string results_json(const RunResult& run) {
    const RunInfo& i = run.info;
    ordered_json j;
    j["schema"] = 3;
    j["mho"] = i.version;
    j["config_sha256"] = i.config_sha256;
    j["network"] = {
        {"file", i.network_file}, {"sha256", i.network_sha256}, {"parameters", i.network_parameters}};
    j["data"] = {{"name", i.data_name}, {"sha256", i.data_sha256}, {"images", i.images}};
    j["backend"] = i.backend;
    j["precision"] = i.precision;
    j["confidence"] = i.confidence;
    j["digital"] = nullptr;
    if (const auto& d = run.digital) {
        j["digital"] = {{"top1", d->top1_fraction()}, {"top5", d->top5_fraction()}, {"loss", d->mean_loss()}};
        add_interval(j["digital"], yield_of(d->top1, d->images, i.confidence).interval);
    }
    j["points"] = ordered_json::array();
    double seconds = 0, images = 0;
    for (const PointResult& point : run.points) {
        j["points"].push_back(point_json(run, point));
        for (const ChipResult& chip : point.chips) images += static_cast<double>(chip.images);
        seconds += seconds_of(point);
    }
    j["needed"] = nullptr;
    if (const std::optional<NeededCost> cost = cost_needed(run))
        j["needed"] = {{"half_width", cost->half_width},
                       {"chips", cost->chips},
                       {"of", cost->of},
                       {"points_short", cost->points_short}};
    j["seconds"] = seconds;
    j["images_per_second"] = seconds > 0 ? images / seconds : 0.0;
    // Paths and names of layers may hold any bytes, JSON only UTF-8: what is none is replaced.
    return j.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
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

}  // namespace mho
