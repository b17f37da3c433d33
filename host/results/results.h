// host/results/results.h - a run as files: results.json and chips.csv.
#pragma once

#include <string>

#include "host/results/run.h"

namespace mho {

/// results.json (docs/architecture.md) as text. Equal runs differ in the fields alone that come from times.
std::string results_json(const RunResult& run);

/// One row a chip: point, the swept keys, chip, top1, top5, loss, clipped_cells. Holds nothing that depends
/// on when or where the run was made: equal runs give equal bytes.
std::string chips_csv(const RunResult& run);

}  // namespace mho
