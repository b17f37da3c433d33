// host/run/sweep.h - the main job: a network, a data set and a chip at every point of a sweep -> results, in
// memory and, where asked for, in a directory. Points (run_points.h) -> chips to run (chips_to_run.h) ->
// execution (execution.h) -> gathering (gathering.h).
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "host/config/types.h"
#include "host/results/run.h"
#include "host/run/devices.h"
#include "host/run/gathering.h"
#include "host/run/progress.h"

namespace mho {

struct SweepOptions {
    std::optional<RunDirectory> out;  ///< nothing: no file is written
    bool per_layer = false;           ///< at every point, also each analog layer noisy alone
    int threads = 1;                  ///< a device
    std::string command;              ///< that reproduces the run, for its report
    /// Told how far the run is, from any of its threads, never from two at a time. May be empty: nothing is
    /// printed.
    ProgressCallback progress;
    const std::atomic<bool>* stop = nullptr;  ///< ends the run, without the chips in flight; may be null
};

/// Runs every chip of every point that is not there yet, and returns the whole run. With `out`, every
/// finished chip is in its store when this returns or throws. Throws InputError where the config does not fit
/// the network, the images or what `out` holds, RunError for a run that fails.
RunResult run_sweep(const Devices& devices, const Config& config, const SweepOptions& options);

}  // namespace mho
