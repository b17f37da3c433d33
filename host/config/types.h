// host/config/types.h - what a user asks for, as plain data.
// To add a key: a field below, its row in keys.cc (type, range, unit, one line of help). Parsing,
// checks, error messages, the resolved config and the README's table follow from that row.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kernels/crossbar/settings.h"
#include "kernels/plan.h"
#include "kernels/steps/perturbation.h"

namespace mho {

enum class RangeRule { half, max_abs };
enum class ParameterScale { single, own, bi_scale };
enum class ChipLevel { parameter, crossbar };
enum class BatchNormMode { fold, digital, analog };
enum class IdentityMode { digital, analog };
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

struct Config : ArraySettings {
    ModelConfig model;
    DataConfig data;
    ChipConfig chip;
    ParameterConfig parameter;
    MonteCarloConfig monte_carlo;
    std::vector<LayerOverride> layers;
    std::vector<SweepAxis> sweep;
    bool zip = false;
    std::map<std::string, std::string> given;  ///< keys that the user wrote -> "file:line" or "--set"
    std::string source;                        ///< the file's name, for messages
    std::vector<std::string> notices;          ///< what of it changes nothing, a line each
};

/// Whether ranges are measured on the calibration images: input and converter ranges, ReLU levels.
inline bool calibrates(const Config& config) {
    return config.chip.level == ChipLevel::crossbar || config.chip.relu_levels > 0;
}

/// Whether [sweep] gives `key` its values.
inline bool is_swept(const Config& config, const std::string& key) {
    return std::any_of(config.sweep.begin(), config.sweep.end(),
                       [&](const SweepAxis& axis) { return axis.key == key; });
}

}  // namespace mho
