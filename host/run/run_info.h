// host/run/run_info.h - what makes a run the run it is: its version, config, network and images, by their
// SHA-256.
#pragma once

#include <string>
#include <vector>

#include "host/results/run.h"
#include "host/run/run_points.h"
#include "host/run/workload.h"

namespace mho {

/// Of a run of `config` over `points`. `digital`: the network without chips on the first device, of the
/// backend that the run is made on; images are taken as they enter it. Reads the calibration images where a
/// point has any. per_layer and command are the caller's to fill in.
RunInfo run_info(const Config& config, const std::vector<RunPoint>& points, Workload& workload,
                 const Program& digital);

}  // namespace mho
