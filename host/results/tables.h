// host/results/tables.h - a run as tables and sentences for a person: what `mho sweep` prints and the report
// shows.
#pragma once

#include <string>

#include "host/results/run.h"

namespace mho {

/// The digital line and the table of points: swept keys, chips, mean top-1 with its interval, spread, worst
/// chip, top-5, loss.
std::string points_table(const RunResult& run);

/// What the run found beyond the table, a line each: points that differ from the first, images a chip that
/// would tell more in the same time, how much of the cost was needed. Empty where there is nothing to say.
std::string findings_text(const RunResult& run);

/// Each point less the first, chip by chip.
std::string differences_table(const RunResult& run);

/// Where each point's spread comes from, and the images a chip that follow.
std::string spread_table(const RunResult& run);

}  // namespace mho
