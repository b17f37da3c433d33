#include "host/config/rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <map>

#include "host/config/keys.h"
#include "host/config/points.h"
#include "host/statistics/statistics.h"
#include "kernels/base/error.h"
#include "kernels/crossbar/slicing.h"
#include "models/data/data_set.h"
#include "models/names.h"

namespace mho {
namespace {

bool is_crossbar(const Config& c) { return c.chip.level == ChipLevel::crossbar; }

const Need kCrossbar{"chip.level = \"crossbar\"", is_crossbar};
const Need kParameter{"chip.level = \"parameter\"", [](const Config& c) { return !is_crossbar(c); }};
const Need kConverters{"adc.bits > 0", [](const Config& c) { return c.adc.bits > 0; }, true};
/// Whether the type of converter draws numbers for each.
bool draws_numbers(const AdcSettings& adc) {
    return AdcModel(adc.type, adc.types, static_cast<int>(adc.bits)).draws > 0;
}

const Need kSlices{
    "weights have several slices: crossbar.cell_bits below the bits of a weight's largest level",
    [](const Config& c) { return c.crossbar.has_slices(); }};
/// Of the slice that asks for most; any number where weights are real.
int64_t most_levels_asked(const CrossbarSettings& asked) {
    if (asked.weight_bits == 0) return std::numeric_limits<int64_t>::max();
    int64_t most = 0;
    for (const Slice& slice : slices_of(asked)) most = std::max(most, levels_asked(asked, slice));
    return most;
}

/// That device.error is one of the kinds for which `holds`.
Need error_kind(bool ErrorDescription::*holds) {
    std::vector<std::string> names;
    for (const ErrorDescription& d : kDeviceErrors)
        if (d.*holds) names.push_back(fmt::format("\"{}\"", d.name));
    return {fmt::format("device.error is {}", fmt::join(names, " or ")),
            [holds](const Config& c) { return description_of(c.device.error).*holds; }};
}

const Need kSigma{
    "device.sigma > 0",
    [](const Config& c) { return !description_of(c.device.error).scaled || c.device.sigma > 0; }, true};
const Need kFixed{"adc.range = \"fixed\"", [](const Config& c) { return c.adc.range == AdcRange::fixed; }};
const Need kCalibrated{"adc.range = \"calibrated\"",
                       [](const Config& c) { return c.adc.range == AdcRange::calibrated; }};

/// Needs of whole tables.
const std::map<std::string, std::vector<Need>>& table_needs() {
    static const std::map<std::string, std::vector<Need>> needs{
        {"parameter", {kParameter}},
        {"crossbar", {kCrossbar}},
        {"device", {kCrossbar}},
        {"adc", {kCrossbar}},
    };
    return needs;
}

/// What single keys need beside.
const std::map<std::string, std::vector<Need>>& key_needs() {
    static const std::map<std::string, std::vector<Need>> needs{
        {"data.calibration_images",
         {{"something is calibrated: chip.level = \"crossbar\", or chip.relu_levels", calibrates}}},
        {"crossbar.cell_bits",
         {{"crossbar.weight_bits > 0", [](const Config& c) { return c.crossbar.weight_bits > 0; }, true}}},
        {"crossbar.slice_bits", {kSlices}},
        {"crossbar.slice_range", {kSlices}},
        {"crossbar.bias_rows",
         {{"crossbar.bias = \"analog\"",
           [](const Config& c) { return c.crossbar.bias == BiasMode::analog; }}}},
        {"device.g_max",
         {{"device.g_min > 0 (only their ratio matters)",
           [](const Config& c) { return c.device.g_min > 0 || description_of(c.device.error).microsiemens; },
           true}}},
        {"device.levels",
         {{"device.levels is below the levels that crossbar.cell_bits asks of a cell",
           [](const Config& c) {
               return c.device.levels == 0 || c.device.levels < most_levels_asked(c.crossbar);
           }}}},
        {"device.error", {kSigma}},
        {"device.sigma", {error_kind(&ErrorDescription::scaled)}},
        {"device.relative_to", {error_kind(&ErrorDescription::relative), kSigma}},
        {"device.stuck_value",
         {{"device.stuck_low or device.stuck_high > 0",
           [](const Config& c) { return c.device.stuck_low + c.device.stuck_high > 0; }, true}}},
        {"adc.type", {kConverters}},
        {"adc.range", {kConverters}},
        {"adc.low", {kFixed, kConverters}},
        {"adc.high", {kFixed, kConverters}},
        {"adc.percentile", {kCalibrated, kConverters}},
        {"adc.calibrate", {kCalibrated, kConverters}},
        {"adc.granularity", {kConverters}},
        {"adc.gain_sigma", {kConverters}},
        {"adc.offset_sigma", {kConverters}},
        {"adc.noise", {kConverters}},
        {"adc.columns_per_adc",
         {kConverters,
          {"adc.gain_sigma or adc.offset_sigma > 0, or converters differ by adc.type",
           [](const Config& c) { return c.adc.gain_sigma + c.adc.offset_sigma > 0 || draws_numbers(c.adc); },
           true}}},
    };
    return needs;
}

std::vector<Need> needs_of(const std::string& key) {
    std::vector<Need> all;
    if (const auto found = table_needs().find(key.substr(0, key.find('.'))); found != table_needs().end())
        all = found->second;
    if (const auto found = key_needs().find(key); found != key_needs().end())
        all.insert(all.end(), found->second.begin(), found->second.end());
    if (const Key* k = find_key(key); k && !k->kind_key.empty()) {
        all.push_back({fmt::format("{} = \"{}\"", k->kind_key, k->kind), [k](const Config& c) {
                           return value_of(*find_key(k->kind_key), c) == ConfigValue{k->kind};
                       }});
        if (const auto found = key_needs().find(k->kind_key); found != key_needs().end())
            all.insert(all.end(), found->second.begin(), found->second.end());
    }
    return all;
}

/// Whether chips, or reads, differ by chance.
bool draws(const Config& c) {
    if (!is_crossbar(c)) return c.parameter.sigma > 0;
    const DeviceSettings& d = c.device;
    const AdcSettings& a = c.adc;
    return d.effective_error() != ErrorKind::none || d.stuck_low + d.stuck_high + d.read_noise > 0 ||
           (a.bits > 0 && (a.gain_sigma + a.offset_sigma + a.noise > 0 || draws_numbers(a)));
}

std::optional<Need> unmet_in(const Config& config, const std::vector<Need>& needs, bool switches) {
    for (const Need& need : needs)
        if ((switches || !need.is_switch) && !need.met(config)) return need;
    return std::nullopt;
}

/// A need that none of the configs meets.
std::optional<Need> unmet_in_all(const std::vector<Config>& configs, const std::vector<Need>& needs,
                                 bool switches) {
    std::optional<Need> unmet;
    for (const Config& config : configs) {
        unmet = unmet_in(config, needs, switches);
        if (!unmet) return std::nullopt;
    }
    return unmet;
}

std::optional<Contradiction> run_contradiction(const Config& c) {
    const std::vector<std::string> sets = data_set_names();
    if (std::find(sets.begin(), sets.end(), c.data.name) == sets.end())
        return Contradiction{{"data.name"},
                             fmt::format("data.name = \"{}\" is no data set{}; there are {}", c.data.name,
                                         did_you_mean(c.data.name, sets), joined(sets))};
    if (c.data.split != "train" && c.data.split != "test")
        return Contradiction{{"data.split"},
                             fmt::format("data.split takes \"train\" or \"test\", not \"{}\"", c.data.split)};
    if (c.data.images > 0 && c.monte_carlo.images_per_chip > c.data.images)
        return Contradiction{{"monte_carlo.images_per_chip", "data.images"},
                             fmt::format("monte_carlo.images_per_chip = {} is more than data.images = {}",
                                         c.monte_carlo.images_per_chip, c.data.images)};
    if (c.monte_carlo.until > 0 && c.monte_carlo.chips <= next_checkpoint(0))
        return Contradiction{
            {"monte_carlo.until", "monte_carlo.chips"},
            fmt::format("monte_carlo.until is first looked at after {} chips: ask for more than "
                        "monte_carlo.chips = {}",
                        next_checkpoint(0), c.monte_carlo.chips)};
    return std::nullopt;
}

std::optional<Contradiction> level_contradiction(const Config& c) {
    if (c.chip.relu_levels == 1)
        return Contradiction{{"chip.relu_levels"},
                             "chip.relu_levels = 1 would leave nothing: use 0 (continuous) or at least 2"};
    if (!is_crossbar(c)) return std::nullopt;
    const char* use = " is a parameter-level model: with chip.level = \"crossbar\" ";
    if (c.chip.batch_norm == BatchNormMode::analog)
        return Contradiction{{"chip.batch_norm", "chip.level"},
                             fmt::format("chip.batch_norm = \"analog\"{}use \"fold\" or \"digital\"", use)};
    if (c.chip.identity == IdentityMode::analog)
        return Contradiction{{"chip.identity", "chip.level"},
                             fmt::format("chip.identity = \"analog\"{}use \"digital\"", use)};
    if (c.chip.relu_levels > 0)
        return Contradiction{{"chip.relu_levels", "chip.level"},
                             fmt::format("chip.relu_levels{}crossbar.input_bits quantises", use)};
    return std::nullopt;
}

std::optional<Contradiction> crossbar_contradiction(const CrossbarSettings& c) {
    if (c.weight_bits == 1)
        return Contradiction{{"crossbar.weight_bits"},
                             "crossbar.weight_bits = 1 leaves only the sign bit: use 0 (real) or at least 2"};
    if (c.dac_bits > c.input_bits)
        return Contradiction{{"crossbar.dac_bits", "crossbar.input_bits"},
                             fmt::format("crossbar.dac_bits = {} is more than crossbar.input_bits = {}",
                                         c.dac_bits, c.input_bits)};
    const SchemeDescription& scheme = description_of(c.scheme);
    if (c.reference == Reference::column && scheme.polarities == 2)
        return Contradiction{
            {"crossbar.reference", "crossbar.scheme"},
            fmt::format("crossbar.reference = \"column\" belongs to schemes of one cell a weight: not to "
                        "crossbar.scheme = \"{}\"",
                        scheme.name)};
    if (c.subtract == Subtract::analog && scheme.polarities == 1)
        return Contradiction{
            {"crossbar.subtract", "crossbar.scheme"},
            fmt::format("crossbar.subtract = \"analog\" needs two polarities: not crossbar.scheme = \"{}\"",
                        scheme.name)};
    return std::nullopt;
}

std::optional<Contradiction> device_contradiction(const DeviceSettings& c) {
    if (c.g_min >= c.g_max)
        return Contradiction{
            {"device.g_min", "device.g_max"},
            fmt::format("device.g_min = {} must be below device.g_max = {}", c.g_min, c.g_max)};
    if (c.levels == 1)
        return Contradiction{{"device.levels"},
                             "device.levels = 1 would leave nothing: use 0 (any level) or at least 2"};
    if (c.stuck_low + c.stuck_high > 1)
        return Contradiction{
            {"device.stuck_low", "device.stuck_high"},
            "device.stuck_low and device.stuck_high are probabilities of one cell: together at most 1"};
    if (const std::string why = complaint_of(c.error, c.error_kinds); !why.empty())
        return Contradiction{{"device.error"},
                             fmt::format("device.error = \"{}\": {}", description_of(c.error).name, why)};
    return std::nullopt;
}

std::optional<Contradiction> adc_contradiction(const AdcSettings& c) {
    if (c.range == AdcRange::fixed && c.low >= c.high)
        return Contradiction{
            {"adc.range", "adc.low", "adc.high"},
            fmt::format("adc.range = \"fixed\" needs adc.low = {} below adc.high = {}", c.low, c.high)};
    if (const std::string why = complaint_of(c.type, c.types, static_cast<int>(c.bits));
        c.bits > 0 && !why.empty())
        return Contradiction{{"adc.type"},
                             fmt::format("adc.type = \"{}\": {}", description_of(c.type).name, why)};
    return std::nullopt;
}

}  // namespace

void refuse(const std::string& place, const std::string& why) {
    throw InputError(fmt::format("{}: {}", place, why));
}

Effects::Effects(const Config& config) {
    for (SweepPoint& point : sweep_points(config)) points_.push_back(std::move(point.config));
    for (const LayerOverride& layer : config.layers) {
        with_layer_.push_back(points_);
        for (Config& point : with_layer_.back())
            for (const auto& [key, value] : layer.keys) assign(*find_key(key), point, value);
    }
}

std::optional<Need> Effects::unmet(const std::string& key, bool switches) const {
    const std::vector<Need> needs = needs_of(key);
    std::optional<Need> unmet = unmet_in_all(points_, needs, switches);
    for (size_t layer = 0; unmet && layer < with_layer_.size(); ++layer)
        if (!unmet_in_all(with_layer_[layer], needs, switches)) unmet.reset();
    return unmet;
}

std::optional<Need> Effects::unmet_in_layer(const std::string& key, size_t layer) const {
    return unmet_in_all(with_layer_[layer], needs_of(key), false);
}

bool Effects::draw_anything() const {
    if (std::any_of(points_.begin(), points_.end(), draws)) return true;
    return std::any_of(with_layer_.begin(), with_layer_.end(), [](const std::vector<Config>& points) {
        return std::any_of(points.begin(), points.end(), draws);
    });
}

std::optional<Contradiction> contradiction(const Config& c) {
    if (auto found = run_contradiction(c)) return found;
    if (auto found = level_contradiction(c)) return found;
    if (auto found = crossbar_contradiction(c.crossbar)) return found;
    if (auto found = device_contradiction(c.device)) return found;
    return adc_contradiction(c.adc);
}

}  // namespace mho
