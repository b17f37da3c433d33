// host/results/tables.h - a run as tables and sentences for a person: what `mho sweep` prints and the report
// shows.
#pragma once

#include <set>
#include <string>

#include "host/results/run.h"

namespace mho {

/// A point's label but the keys `without`, as "key = value, ...".
std::string words(const PointLabel& label, const std::set<std::string>& without = {});

/// A swept key with its unit: "device.sigma, of g_max".
std::string heading(const RunResult& run, const std::string& key);

/// The digital line and the table of points: swept keys, chips, mean top-1 with its intervals, spread, worst
/// chip, top-5, loss. Where it is wider than `columns`, each point is a few lines instead.
std::string points_table(const RunResult& run, int columns = 1000);

/// What the run found beyond the table, a line each: a digital accuracy that is chance, cells that were cut,
/// points that differ from the first, the layer that loses most, images a chip that would tell more in the
/// same time, how much of the cost was needed. Empty where there is nothing to say.
std::string findings_text(const RunResult& run);

/// Each point less the first, chip by chip.
std::string differences_table(const RunResult& run);

/// What each layer alone loses against the digital network, the most first.
std::string layers_table(const RunResult& run);

/// Where each point's spread comes from, and the images a chip that follow.
std::string spread_table(const RunResult& run);

}  // namespace mho
