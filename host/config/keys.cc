#include "host/config/keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "host/config/write.h"

namespace mho {
namespace {

template <class E>
struct Choice {
    const char* name;
    E value;
};

template <class E>
std::function<Field(Config&)> choice(E& (*of)(Config&), const std::vector<Choice<E>>& choices) {
    std::vector<std::string> names;
    std::vector<E> values;
    for (const Choice<E>& c : choices) {
        names.push_back(c.name);
        values.push_back(c.value);
    }
    return [of, names, values](Config& c) -> Field {
        E* field = &of(c);
        return ChoiceField{
            names,
            [field, values] {
                return static_cast<int>(std::find(values.begin(), values.end(), *field) - values.begin());
            },
            [field, values](int i) { *field = values[static_cast<size_t>(i)]; }};
    };
}

/// A field by its place: MHO_FIELD(adc.bits) is a function Config& -> Field.
#define MHO_FIELD(path) [](Config& c) -> Field { return &c.path; }
#define MHO_CHOICE(path, ...)                                                \
    choice<std::remove_reference_t<decltype(std::declval<Config&>().path)>>( \
        +[](Config & c) -> auto& { return c.path; }, {__VA_ARGS__})

/// Choices and help of a listed kind: "name words; name words".
template <class E, class Description, size_t count>
std::vector<Choice<E>> listed(const Description (&all)[count], E Description::*value) {
    std::vector<Choice<E>> choices;
    for (const Description& d : all) choices.push_back({d.name, d.*value});
    return choices;
}
template <class Description, size_t count>
std::string explained(const Description (&all)[count]) {
    std::vector<std::string> words;
    for (const Description& d : all) words.push_back(fmt::format("{}: {}", d.name, d.help));
    return fmt::format("{}", fmt::join(words, "; "));
}

Key plain(std::string name, std::function<Field(Config&)> field, std::string help) {
    return {.name = std::move(name), .field = std::move(field), .help = std::move(help)};
}

Key number(std::string name, std::function<Field(Config&)> field, double low, double high, std::string unit,
           std::string help) {
    return {.name = std::move(name),
            .field = std::move(field),
            .low = low,
            .high = high,
            .unit = std::move(unit),
            .help = std::move(help)};
}

/// A key of the chip: it may be swept, and set for single layers.
Key swept(Key key, bool per_layer = true) {
    key.sweepable = true;
    key.per_layer = per_layer;
    return key;
}

Key above(Key key) {
    key.open_low = true;
    return key;
}

/// What a listed kind asks for: keys TABLE.KIND.NAME, of use where `kind_key` has that kind.
template <class Settings>
void add_settings(std::vector<Key>& k, const std::string& kind_key, const std::string& kind,
                  Settings& (*of)(Config&)) {
    for (const Setting<Settings>& s : Settings::list()) {
        const auto field = [of, member = s.member](Config& c) -> Field {
            return std::visit([&](auto m) -> Field { return &(of(c).*m); }, member);
        };
        const std::string table = kind_key.substr(0, kind_key.find('.'));
        k.push_back(swept(
            number(fmt::format("{}.{}.{}", table, kind, s.name), field, s.low, s.high, s.unit, s.help)));
        k.back().kind_key = kind_key;
        k.back().kind = kind;
    }
}

void add_run_keys(std::vector<Key>& k) {
    k.push_back(plain("model.file", MHO_FIELD(model.file),
                      "the network: an .onnx file, or a zoo name (`mho models`)"));
    k.push_back(plain("data.name", MHO_FIELD(data.name),
                      "data set: digits, mnist, fashion-mnist, cifar-10, cifar-100 or idx"));
    k.push_back(
        plain("data.directory", MHO_FIELD(data.directory), "where its files lie; empty: below $MHO_DATA"));
    k.push_back(plain("data.split", MHO_FIELD(data.split), "test or train"));
    k.push_back(number("data.images", MHO_FIELD(data.images), 0, kMany, "images",
                       "the first n of the split; 0: all"));
    k.push_back(number("data.calibration_images", MHO_FIELD(data.calibration_images), 1, kMany, "images",
                       "the first n of the training split, for calibration"));
    k.push_back(number("data.full_scale", MHO_FIELD(data.full_scale), 0, 1e9, "",
                       "the pixel value that stands for 1; 0: the data set's own"));
    k.push_back(number("data.mean", MHO_FIELD(data.mean), -1e9, 1e9, "",
                       "mean a channel, of pixel / full_scale; []: the data set's own"));
    k.push_back(above(number("data.std", MHO_FIELD(data.std), 0, 1e9, "",
                             "standard deviation a channel; []: the data set's own")));
}

void add_chip_keys(std::vector<Key>& k) {
    k.push_back(swept(
        plain("chip.level",
              MHO_CHOICE(chip.level, {"parameter", ChipLevel::parameter}, {"crossbar", ChipLevel::crossbar}),
              "perturb the parameters, or simulate cells, columns and converters"),
        false));
    k.push_back(swept(
        plain("chip.batch_norm",
              MHO_CHOICE(chip.batch_norm, {"fold", BatchNormMode::fold}, {"digital", BatchNormMode::digital},
                         {"analog", BatchNormMode::analog}),
              "batch norms: into the layer before, in exact arithmetic, or as noisy scales of their own"),
        false));
    k.push_back(swept(
        plain("chip.identity",
              MHO_CHOICE(chip.identity, {"digital", IdentityMode::digital}, {"analog", IdentityMode::analog}),
              "residual connections: exact, or with one factor 1 + sigma n a channel"),
        false));
    k.push_back(swept(number("chip.relu_levels", MHO_FIELD(chip.relu_levels), 0, 65536, "levels",
                             "levels of every ReLU output, range calibrated; 0: continuous"),
                      false));
}

void add_parameter_keys(std::vector<Key>& k) {
    k.push_back(
        swept(number("parameter.sigma", MHO_FIELD(parameter.sigma), 0, 1e3, "of R",
                     "standard deviation of each parameter's error (of its half width where uniform)")));
    k.push_back(swept(number("parameter.mu", MHO_FIELD(parameter.mu), -1e3, 1e3, "of R",
                             "mean of each parameter's error")));
    k.push_back(swept(plain("parameter.distribution",
                            MHO_CHOICE(parameter.distribution, {"gaussian", Distribution::gaussian},
                                       {"uniform", Distribution::uniform}),
                            "of the error: N(0, 1), or uniform in (-1, 1)")));
    k.push_back(
        swept(plain("parameter.range",
                    MHO_CHOICE(parameter.range, {"half", RangeRule::half}, {"max-abs", RangeRule::max_abs}),
                    "what R is: (max - min) / 2, or max |p|")));
    k.push_back(swept(above(number("parameter.quantile", MHO_FIELD(parameter.quantile), 0, 1, "",
                                   "the central part of the parameters that R measures"))));
    k.push_back(swept(plain("parameter.scale",
                            MHO_CHOICE(parameter.scale, {"single", ParameterScale::single},
                                       {"own", ParameterScale::own}, {"bi-scale", ParameterScale::bi_scale}),
                            "R of weights and biases: one, each its own, or matched")));
}

void add_crossbar_keys(std::vector<Key>& k) {
    k.push_back(
        swept(number("crossbar.rows", MHO_FIELD(crossbar.rows), 1, 65536, "cells", "rows of one array")));
    k.push_back(swept(
        number("crossbar.columns", MHO_FIELD(crossbar.columns), 1, 65536, "cells", "columns of one array")));
    k.push_back(swept(plain("crossbar.scheme",
                            choice<Scheme>(
                                +[](Config& c) -> Scheme& { return c.crossbar.scheme; },
                                listed(kSchemes, &SchemeDescription::scheme)),
                            "how signed weights become conductances")));
    k.push_back(swept(
        plain("crossbar.subtract",
              MHO_CHOICE(crossbar.subtract, {"digital", Subtract::digital}, {"analog", Subtract::analog}),
              "the two polarities: after or before the ADC")));
    k.push_back(swept(
        plain("crossbar.reference",
              MHO_CHOICE(crossbar.reference, {"digital", Reference::digital}, {"column", Reference::column}),
              "what takes off the constant of `offset`: exact arithmetic, or a noisy column")));
    k.push_back(swept(number("crossbar.weight_bits", MHO_FIELD(crossbar.weight_bits), 0, 16, "bits",
                             "weights, with sign; 0: real weights")));
    k.push_back(swept(number("crossbar.cell_bits", MHO_FIELD(crossbar.cell_bits), 1, 14, "bits",
                             "the most that one cell holds: a slice of the weight")));
    k.push_back(swept(
        plain("crossbar.slice_bits",
              MHO_CHOICE(crossbar.slice_bits, {"even", SliceBits::even}, {"low-first", SliceBits::low_first}),
              "bits of a weight's slices: as equal as can be, or cells full from the lowest on")));
    k.push_back(swept(
        plain("crossbar.slice_range",
              MHO_CHOICE(crossbar.slice_range, {"own", SliceRange::own}, {"common", SliceRange::common}),
              "at g_max: the largest level of each slice, or of all slices together")));
    k.push_back(swept(plain("crossbar.scale",
                            MHO_CHOICE(crossbar.scale, {"layer", WeightScale::layer},
                                       {"column", WeightScale::column}, {"network", WeightScale::network}),
                            "extent of one weight scale")));
    k.push_back(swept(above(number("crossbar.clip", MHO_FIELD(crossbar.clip), 0, 100, "percentile",
                                   "of |w|, above which weights are clipped; \"max\": none"))));
    k.push_back(
        swept(plain("crossbar.bias",
                    MHO_CHOICE(crossbar.bias, {"digital", BiasMode::digital}, {"analog", BiasMode::analog}),
                    "biases: added after the converter, or on rows of the array")));
    k.push_back(swept(number("crossbar.bias_rows", MHO_FIELD(crossbar.bias_rows), 1, 1024, "rows",
                             "rows of an analog bias")));
    k.push_back(swept(number("crossbar.input_bits", MHO_FIELD(crossbar.input_bits), 1, 16, "bits",
                             "inputs, with sign where they have one")));
    k.push_back(
        swept(above(number("crossbar.input_clip", MHO_FIELD(crossbar.input_clip), 0, 100, "percentile",
                           "of |x| in calibration, above which inputs are clipped; \"max\": none"))));
    k.push_back(swept(
        plain("crossbar.input_sign",
              MHO_CHOICE(crossbar.input_sign, {"phases", InputSign::phases}, {"offset", InputSign::offset}),
              "signed inputs: positive and negative parts in turn, or shifted")));
    k.push_back(swept(number("crossbar.dac_bits", MHO_FIELD(crossbar.dac_bits), 1, 8, "bits",
                             "of the input that one read step takes")));
    k.push_back(swept(plain("crossbar.fill",
                            MHO_CHOICE(crossbar.fill, {"even", Fill::even}, {"packed", Fill::packed}),
                            "arrays of one layer: evenly filled, or full but the last")));
    k.push_back(swept(number("crossbar.headroom", MHO_FIELD(crossbar.headroom), 1, 16, "of g_max",
                             "the largest conductance that a cell can hold")));
}

void add_device_keys(std::vector<Key>& k) {
    k.push_back(
        swept(number("device.g_min", MHO_FIELD(device.g_min), 0, 1e9, "uS", "conductance of level 0")));
    k.push_back(swept(above(
        number("device.g_max", MHO_FIELD(device.g_max), 0, 1e9, "uS", "conductance of the highest level"))));
    k.push_back(swept(number("device.levels", MHO_FIELD(device.levels), 0, 32768, "levels",
                             "levels that the device can be programmed to; 0: as many as asked for")));
    k.push_back(swept(plain("device.error",
                            choice<ErrorKind>(
                                +[](Config& c) -> ErrorKind& { return c.device.error; },
                                listed(kDeviceErrors, &ErrorDescription::kind)),
                            "programming error of a cell of target g; " + explained(kDeviceErrors))));
    k.push_back(swept(
        number("device.sigma", MHO_FIELD(device.sigma), 0, 1e3, "of relative_to",
               "s of the programming error, drawn once a cell and chip: what device.error makes of it")));
    k.push_back(swept(
        plain("device.relative_to",
              MHO_CHOICE(device.relative_to, {"g_max", RelativeTo::g_max}, {"target", RelativeTo::target}),
              "what sigma is relative to: independent or proportional errors")));
    k.push_back(swept(number("device.stuck_low", MHO_FIELD(device.stuck_low), 0, 1, "probability",
                             "cells stuck at g_min")));
    k.push_back(swept(number("device.stuck_high", MHO_FIELD(device.stuck_high), 0, 1, "probability",
                             "cells stuck at g_max")));
    k.push_back(swept(
        plain("device.stuck_value",
              MHO_CHOICE(device.stuck_value, {"rail", StuckValue::rail}, {"uniform", StuckValue::uniform}),
              "where stuck cells sit: at g_min or g_max, or anywhere between")));
    k.push_back(swept(number("device.read_noise", MHO_FIELD(device.read_noise), 0, 1, "of g",
                             "noise of a cell's conductance, drawn anew each read")));
#define MHO_KIND_KEYS(name, Type) \
    add_settings<Type::Settings>( \
        k, "device.error", #name, +[](Config& c) -> Type::Settings& { return c.device.error_kinds.name; });
    MHO_EACH_DEVICE_ERROR(MHO_KIND_KEYS)
#undef MHO_KIND_KEYS
}

void add_adc_keys(std::vector<Key>& k) {
    k.push_back(swept(number("adc.bits", MHO_FIELD(adc.bits), 0, 24, "bits", "of a converter; 0: ideal")));
    k.push_back(swept(plain(
        "adc.type",
        choice<AdcType>(
            +[](Config& c) -> AdcType& { return c.adc.type; }, listed(kAdcTypes, &AdcDescription::type)),
        "how a converter finds its code; " + explained(kAdcTypes))));
    k.push_back(swept(plain("adc.range",
                            MHO_CHOICE(adc.range, {"max", AdcRange::max},
                                       {"calibrated", AdcRange::calibrated}, {"fixed", AdcRange::fixed}),
                            "the largest possible sum, what calibration images give, or low to high")));
    k.push_back(swept(number("adc.low", MHO_FIELD(adc.low), -kMany, kMany, "cells",
                             "lower end of a fixed range, in cells at g_max read with input 1")));
    k.push_back(swept(number("adc.high", MHO_FIELD(adc.high), -kMany, kMany, "cells",
                             "upper end of a fixed range, likewise")));
    k.push_back(swept(above(number("adc.percentile", MHO_FIELD(adc.percentile), 0, 100, "percent",
                                   "central part of the column sums that a calibrated range encloses"))));
    k.push_back(
        swept(plain("adc.granularity",
                    MHO_CHOICE(adc.granularity, {"layer", Granularity::layer}, {"slice", Granularity::slice},
                               {"tile", Granularity::tile}, {"column", Granularity::column}),
                    "what shares one range")));
    k.push_back(
        swept(plain("adc.calibrate",
                    MHO_CHOICE(adc.calibrate, {"nominal", CalibrateOn::nominal}, {"chip", CalibrateOn::chip}),
                    "ranges measured once, on the chip without errors, or on each chip")));
    k.push_back(swept(number("adc.gain_sigma", MHO_FIELD(adc.gain_sigma), 0, 10, "relative",
                             "gain mismatch of a converter, drawn once a chip")));
    k.push_back(swept(number("adc.offset_sigma", MHO_FIELD(adc.offset_sigma), 0, 1e6, "ADC steps",
                             "offset mismatch, drawn once a chip")));
    k.push_back(swept(number("adc.noise", MHO_FIELD(adc.noise), 0, 1e6, "ADC steps",
                             "noise of a conversion, drawn anew each read")));
    k.push_back(swept(number("adc.columns_per_adc", MHO_FIELD(adc.columns_per_adc), 1, 65536, "columns",
                             "adjacent columns that share a converter")));
#define MHO_TYPE_KEYS(name, Type) \
    add_settings<Type::Settings>( \
        k, "adc.type", #name, +[](Config& c) -> Type::Settings& { return c.adc.types.name; });
    MHO_EACH_ADC_TYPE(MHO_TYPE_KEYS)
#undef MHO_TYPE_KEYS
}

void add_monte_carlo_keys(std::vector<Key>& k) {
    k.push_back(number("monte_carlo.chips", MHO_FIELD(monte_carlo.chips), 1, 4294967295.0, "chips",
                       "sampled at each point (at most, with until)"));
    k.push_back(number("monte_carlo.seed", MHO_FIELD(monte_carlo.seed), 0, 9e18, "",
                       "the same seed and chip number are the same chip"));
    k.push_back(number("monte_carlo.confidence", MHO_FIELD(monte_carlo.confidence), 0.5, 0.999999, "",
                       "level of every interval"));
    k.push_back(number("monte_carlo.until", MHO_FIELD(monte_carlo.until), 0, 1, "top-1",
                       "stop a point once the interval's half width is at most this; 0: run all chips"));
    k.push_back(number("monte_carlo.images_per_chip", MHO_FIELD(monte_carlo.images_per_chip), 0, kMany,
                       "images", "the first n of data.images; 0: all"));
    k.push_back(number("monte_carlo.batch", MHO_FIELD(monte_carlo.batch), 1, 65536, "images",
                       "images in flight a thread: speed and memory only"));
    k.push_back(plain("monte_carlo.precision",
                      MHO_CHOICE(monte_carlo.precision, {"f32", Precision::f32}, {"tf32", Precision::tf32},
                                 {"bf16", Precision::bf16}),
                      "factors of products off the crossbars; tf32 and bf16 are faster, on GPUs alone"));
}

std::vector<Key> make_keys() {
    std::vector<Key> keys;
    add_run_keys(keys);
    add_chip_keys(keys);
    add_parameter_keys(keys);
    add_crossbar_keys(keys);
    add_device_keys(keys);
    add_adc_keys(keys);
    add_monte_carlo_keys(keys);
    return keys;
}

#undef MHO_FIELD
#undef MHO_CHOICE

}  // namespace

const std::vector<Key>& config_keys() {
    static const std::vector<Key> keys = make_keys();
    return keys;
}

const Key* find_key(const std::string& name) {
    for (const Key& key : config_keys())
        if (key.name == name) return &key;
    return nullptr;
}

bool is_table(const std::string& name) {
    return std::any_of(config_keys().begin(), config_keys().end(),
                       [&](const Key& key) { return key.name.starts_with(name + "."); });
}

/// A bar ends a cell of a Markdown table.
static std::string cell(const std::string& text) {
    std::string escaped;
    for (char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
    return escaped;
}

std::string config_table_markdown() {
    std::string text = "| key | takes | default | unit | what it is |\n|---|---|---|---|---|\n";
    const Config defaults;
    for (const Key& key : config_keys())
        text += fmt::format("| `{}` | {} | `{}` | {} | {} |\n", key.name, allowed_values(key),
                            to_string(value_of(key, defaults)), key.unit, cell(key.help));
    return text;
}

}  // namespace mho
