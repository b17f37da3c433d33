// host/results/gnuplot.h - plots by gnuplot, as SVG.
#pragma once

#include <optional>
#include <string>

namespace mho {

/// What gnuplot draws for `script` on an SVG terminal of width x height pixels; nothing where gnuplot is not
/// installed. Throws RunError where it fails.
std::optional<std::string> gnuplot_svg(const std::string& script, int width = 720, int height = 400);

}  // namespace mho
