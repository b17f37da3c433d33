// host/results/report.h - a stored run as one self-contained HTML file: plots, tables, the resolved config
// and the command that reproduces it.
#pragma once

#include <string>

#include "host/results/run.h"

namespace mho {

/// Plots are drawn by gnuplot as SVG inside the page; without gnuplot the page says so and has the tables
/// alone.
std::string report_html(const RunResult& run);

}  // namespace mho
