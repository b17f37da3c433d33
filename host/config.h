// host/config.h - what a user asks for: a TOML file and --set key=value, checked once, at the edge.
// To add a key: a field below, its row in config_keys.cc (type, range, unit, one line of help). Parsing,
// checks, error messages, the resolved config and the README's table follow from that row.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "host/parameter_range.h"
#include "kernels/crossbar.h"
#include "kernels/perturbation.h"
#include "kernels/plan.h"

namespace mho {

enum class ChipLevel { parameter, crossbar };
enum class BatchNormMode { fold, digital, analog };
enum class IdentityMode { digital, analog };
enum class WeightScale { layer, column, network };
enum class BiasMode { digital, analog };
enum class Fill { balanced, packed };
enum class CalibrateOn { nominal, chip };

struct ModelConfig {
    std::string file;
};
struct DataConfig {
    std::string name = "digits";
    std::string directory;
    std::string split = "test";
    int64_t images = 0;
    int64_t calibration_images = 256;
    double full_scale = 0;
    std::vector<double> mean, std;
};
struct ChipConfig {
    ChipLevel level = ChipLevel::parameter;
    BatchNormMode batch_norm = BatchNormMode::fold;
    IdentityMode identity = IdentityMode::digital;
    int64_t relu_levels = 0;
};
struct ParameterConfig {
    double sigma = 0, mu = 0;
    Distribution distribution = Distribution::gaussian;
    RangeRule range = RangeRule::half;
    double quantile = 1;
    ParameterScale scale = ParameterScale::single;
};
struct CrossbarConfig {
    int64_t rows = 256, columns = 256;
    Scheme scheme = Scheme::differential;
    Subtract subtract = Subtract::digital;
    Reference reference = Reference::digital;
    int64_t weight_bits = 8, cell_bits = 8;
    WeightScale scale = WeightScale::layer;
    std::optional<double> clip;  ///< percentile; nothing: the largest value
    BiasMode bias = BiasMode::digital;
    int64_t bias_rows = 1;
    int64_t input_bits = 8;
    std::optional<double> input_clip;
    InputSign input_sign = InputSign::phases;
    int64_t dac_bits = 1;
    Fill fill = Fill::balanced;
    double headroom = 1.5;
};
struct DeviceConfig {
    double g_min = 0, g_max = 100;  // uS
    int64_t levels = 0;
    ErrorKind error = ErrorKind::normal;
    double sigma = 0;
    RelativeTo relative_to = RelativeTo::g_max;
    double stuck_low = 0, stuck_high = 0;
    StuckValue stuck_value = StuckValue::rail;
    double read_noise = 0;
};
struct AdcConfig {
    int64_t bits = 8;
    AdcRange range = AdcRange::max;
    double low = 0, high = 0;
    double percentile = 100;
    Granularity granularity = Granularity::layer;
    CalibrateOn calibrate = CalibrateOn::nominal;
    double gain_sigma = 0, offset_sigma = 0, noise = 0;
    int64_t columns_per_adc = 1;
};
struct MonteCarloConfig {
    int64_t chips = 20;
    int64_t seed = 1;
    double confidence = 0.95;
    double until = 0;
    int64_t images_per_chip = 0;
    int64_t batch = 32;
    Precision precision = Precision::f32;
};

/// A value as written, before it is given to a key.
using ConfigValue = std::variant<bool, int64_t, double, std::string, std::vector<double>>;

/// As TOML writes it.
std::string to_string(const ConfigValue& value);

/// [[layer]]: keys set for the layers whose name matches a glob (* and ?).
struct LayerOverride {
    std::string match;
    bool digital = false;
    std::vector<std::pair<std::string, ConfigValue>> keys;
    std::string place;  ///< "file:line", for messages

    bool operator==(const LayerOverride& o) const {
        return match == o.match && digital == o.digital && keys == o.keys;
    }
};

/// One line of [sweep].
struct SweepAxis {
    std::string key;
    std::vector<ConfigValue> values;
    std::string place;  ///< "file:line", for messages

    bool operator==(const SweepAxis& o) const { return key == o.key && values == o.values; }
};

struct Config {
    ModelConfig model;
    DataConfig data;
    ChipConfig chip;
    ParameterConfig parameter;
    CrossbarConfig crossbar;
    DeviceConfig device;
    AdcConfig adc;
    MonteCarloConfig monte_carlo;
    std::vector<LayerOverride> layers;
    std::vector<SweepAxis> sweep;
    bool zip = false;
    std::map<std::string, std::string> given;  ///< keys that the user wrote -> "file:line" or "--set"
    std::string source;                        ///< the file's name, for messages
};

/// Whether ranges are measured on the calibration images: input and converter ranges, ReLU levels.
bool calibrates(const Config& config);

/// Reads and checks a config. `set`: "key=value" each, which win over the file.
/// Throws InputError with file, line, key, what was found, what is allowed and the nearest known key.
Config read_config(const std::filesystem::path& file, const std::vector<std::string>& set = {});
Config parse_config(const std::string& text, const std::string& name,
                    const std::vector<std::string>& set = {});

/// Every key that does something with its value, defaults too, as TOML: parse_config(to_toml(c)) asks for the
/// same as c.
std::string to_toml(const Config& config);

/// One point of the sweep: which keys it sets, and the whole config there.
struct SweepPoint {
    std::vector<std::pair<std::string, ConfigValue>> set;
    Config config;
};

/// All points: the cartesian product with the last key fastest, or, with zip, the keys side by side. Each is
/// checked as a whole.
std::vector<SweepPoint> sweep_points(const Config& config);

/// `config` as it is for one layer; and whether that layer is kept digital.
struct LayerConfig {
    Config config;
    bool digital = false;
};
LayerConfig layer_config(const Config& config, const std::string& layer_name);

/// A sweep point's config, and the layers that it can make analog in a network.
struct PointLayers {
    const Config& config;
    std::vector<std::string> layers;
};
/// Throws InputError for a [[layer]] that matches or changes no layer at any point, a swept key that
/// [[layer]] sets for every layer, and a combination of keys that means nothing for a layer.
void check_layers(const Config& config, const std::vector<PointLayers>& points);

/// The README's table of keys, in Markdown.
std::string config_table_markdown();

}  // namespace mho
