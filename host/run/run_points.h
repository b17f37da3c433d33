// host/run/run_points.h - what a run consists of: the points of its sweep, each whole and, where asked for,
// with one layer noisy alone.
#pragma once

#include <string>
#include <vector>

#include "host/config/types.h"
#include "host/results/run.h"
#include "models/graph.h"

namespace mho {

struct RunPoint {
    PointLabel label;
    Config config;
    std::string only_layer;  ///< the one that is noisy; empty: all that the config makes analog
};

/// The points of a run of `network`, in order. `per_layer`: at every point of the sweep, also each analog
/// layer alone. Throws InputError for a point that cannot be run: nothing has been run then.
std::vector<RunPoint> run_points(const Config& config, const Graph& network, bool per_layer);

}  // namespace mho
