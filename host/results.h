// host/results.h - a run as files and as a table: results.json, chips.csv, and what `mho sweep` prints.
#pragma once

#include <iosfwd>
#include <string>

#include "host/run.h"

namespace mho {

/// results.json (docs/architecture.md) as text.
std::string results_json(const RunResult& run);

/// One row a chip: point, the swept keys, chip, top1, top5, loss, clipped_cells. Holds nothing that depends
/// on when or where the run was made: equal runs give equal bytes.
std::string chips_csv(const RunResult& run);

/// The table of points for a person: swept keys, chips, mean top-1 with its interval, spread, worst chip,
/// top-5, loss.
std::string points_table(const RunResult& run);

}  // namespace mho
