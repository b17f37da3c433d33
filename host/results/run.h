// host/results/run.h - what a run is and what it finds: plain data from Monte Carlo to the store and from
// there to results.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/steps/loss.h"

namespace mho {

/// What makes a run the run it is, and what it was asked for.
struct RunInfo {
    std::string version;
    std::string config_toml;      ///< resolved: every key with its value
    std::string config_sha256;    ///< of config_toml
    std::string deciding_config;  ///< what of it decides how a chip of this number comes out
    bool per_layer = false;       ///< also each analog layer noisy alone
    std::string network_file, network_sha256;
    int64_t network_parameters = 0;
    std::string data_name;
    std::string data_sha256;  ///< of the images and labels that chips are tried on and calibrated with
    int64_t images = 0;       ///< a chip
    int64_t classes = 0;      ///< among which the network decides
    int64_t chips = 0;        ///< a point, at most
    double until = 0;         ///< monte_carlo.until
    double confidence = 0.95;
    std::map<std::string, std::string> units;  ///< of the swept keys that have one
    std::string backend, precision;
    std::string command;  ///< that reproduces the run

    bool operator==(const RunInfo&) const = default;
};

/// Of the network on one chip, or on none: counts, not fractions, so nothing is lost.
struct Outcome {
    int64_t images = 0, top1 = 0, top5 = 0;
    int64_t loss = 0;  ///< sum over images, in units of 2^-20 (kernels/steps/loss.h)

    bool operator==(const Outcome&) const = default;
    double top1_fraction() const { return static_cast<double>(top1) / static_cast<double>(images); }
    double top5_fraction() const { return static_cast<double>(top5) / static_cast<double>(images); }
    double mean_loss() const { return static_cast<double>(loss) / kLossUnits / static_cast<double>(images); }
    /// Whether the counts can be those of a whole pass over some images.
    bool sane() const { return images > 0 && top1 >= 0 && top5 >= top1 && images >= top5; }
};

/// One point of the sweep, by the keys it sets: (key, value as TOML).
struct PointLabel {
    std::vector<std::pair<std::string, std::string>> set;

    bool operator==(const PointLabel&) const = default;
};

/// One finished chip.
struct ChipResult : Outcome {
    int64_t chip = 0;
    int64_t cells = 0, clipped_cells = 0, stuck_cells = 0;
    /// Time of the threads that worked on this chip: until it was programmed, and on its images.
    double programming_seconds = 0, reading_seconds = 0;
    double seconds = 0;  ///< wall time since the run's chip before: over all chips, what the run took

    bool operator==(const ChipResult&) const = default;
};

struct PointResult {
    PointLabel label;
    std::vector<ChipResult> chips;  ///< by chip number
};

/// Everything that a stored run holds.
struct RunResult {
    RunInfo info;
    std::optional<Outcome> digital;  ///< without any chip; nothing where the run was ended before it
    std::vector<PointResult> points;
};

}  // namespace mho
