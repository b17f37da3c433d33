// host/run/sweep.h - the main job: a network, a data set and a chip at every point of a sweep -> stored
// results.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "host/config/types.h"
#include "host/results/run.h"
#include "host/run/devices.h"

namespace mho {

struct SweepOptions {
    std::filesystem::path out;
    bool resume = false;
    bool per_layer = false;  ///< at every point, also each analog layer noisy alone
    bool quiet = false;
    int threads = 1;                          ///< a device
    std::string command;                      ///< that reproduces the run
    const std::atomic<bool>* stop = nullptr;  ///< set by Ctrl-C
};

/// Runs every chip of every point that the store does not hold yet, and returns the whole run. Every finished
/// chip is in the store when it returns or throws.
RunResult run_sweep(const Devices& devices, const Config& config, const SweepOptions& options);

}  // namespace mho
