// host/config/rules.h - what a config means as a whole: which keys do nothing, which combinations mean
// nothing. Internal to host/config. To add a rule: a row in the table of needs, or a case of
// contradiction().
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/config/types.h"

namespace mho {

/// Throws InputError for what stands at `place`.
[[noreturn]] void refuse(const std::string& place, const std::string& why);

/// What must hold for a key to do anything.
struct Need {
    std::string words;  ///< after "unless": chip.level = "crossbar"
    std::function<bool(const Config&)> met;
    /// Fails only where a number of 0 (sigma, adc.bits, ...) switches an effect off. Keys that describe the
    /// effect may stand all the same: so `--set device.sigma=0` gives the ideal case of any config.
    bool is_switch = false;
};

/// In which of a config's points and layers a key does something.
class Effects {
  public:
    explicit Effects(const Config& config);

    /// A need of `key` that no point and no layer meets, or nothing. `switches`: those that a 0 switches off
    /// count too.
    std::optional<Need> unmet(const std::string& key, bool switches = false) const;
    /// The same for a key that [[layer]] number `layer` sets.
    std::optional<Need> unmet_in_layer(const std::string& key, size_t layer) const;
    /// Whether chips differ at any point, in any layer.
    bool draw_anything() const;

  private:
    std::vector<Config> points_;
    std::vector<std::vector<Config>> with_layer_;  // every point as [[layer]] number i changes it
};

/// A combination of keys that means nothing.
struct Contradiction {
    std::vector<std::string> keys;  ///< that take part
    std::string text;
};
/// In a config of one point, or of one layer there.
std::optional<Contradiction> contradiction(const Config& config);

}  // namespace mho
