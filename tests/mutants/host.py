"""Mutants of host/ and models/."""

from mutant import Mutant, Test

STATISTICS = "host/statistics/statistics.cc"
FINDINGS, RESULTS = "host/results/findings.cc", "host/results/results.cc"
TABLES, STORE, RUN = "host/results/tables.cc", "host/results/store.cc", "host/results/run.h"
LOWERING, NORM, RANGE = "host/chip/lowering.cc", "host/chip/batch_norm.cc", "host/chip/parameter_range.cc"
QUERIES, CALIBRATION = "models/queries.cc", "host/run/calibration.cc"

CHIPS = [
    Test("cpu_contract_test", "*Operation*:*Quantiser*:*Lowering*:*FoldBatchNorm*:*ResidualIdentity*:*ChipContract*", 300),
    Test("cpu_contract_test", "*CrossbarOracle*", 600),
    Test("sweep_test", "*relu*:*crossbar_chips*", 300),
]
LOOKED_AT_BY = {
    "host/statistics/": [Test("statistics_test", "*", 120)],
    "host/results/": [Test("results_test", "*", 120)],
    STORE: [Test("store_test", "*", 300)],
    "host/chip/": CHIPS,
    RANGE: [Test("parameter_range_test", "*", 120)],
    "host/run/calibration.cc": CHIPS,
    QUERIES: CHIPS,
}

MUTANTS = [
    # statistics
    Mutant(STATISTICS, "std::sqrt(squares / (n - 1))", "std::sqrt(squares / n)"),
    Mutant(STATISTICS, "students_t t(n - 1)", "students_t t(n)"),
    Mutant(STATISTICS, "0.5 + confidence / 2", "confidence"),
    Mutant(STATISTICS, "* r.sd / std::sqrt(n)", "* r.sd"),
    Mutant(STATISTICS, "r.median = interpolate(s, 0.5)", "r.median = r.mean"),
    Mutant(STATISTICS, "static_cast<double>(s.size() - 1)", "static_cast<double>(s.size())"),
    Mutant(STATISTICS, "complement(below, static_cast<double>(u - 1))", "complement(below, static_cast<double>(u))"),
    Mutant(STATISTICS, "cdf(below, static_cast<double>(l - 1)) <= tail", "cdf(below, static_cast<double>(l)) <= tail"),
    Mutant(STATISTICS, "v >= threshold", "v > threshold"),
    Mutant(STATISTICS, "beta_distribution<>(k + 1, n - k), 1 - tail", "beta_distribution<>(k, n - k), 1 - tail"),
    Mutant(STATISTICS, "within / (k * (n - 1))", "within / (k * n)"),
    Mutant(STATISTICS, "between / (k - 1)", "between / k"),
    Mutant(STATISTICS, "(mean_between - mean_within) / n", "mean_between / n"),
    Mutant(STATISTICS, "std::max(1.0, std::sqrt(chip_cost * images / chips))", "std::sqrt(chip_cost * images / chips)"),
    Mutant(STATISTICS, "std::max(0.0, (mean_between", "((mean_between"),
    Mutant(STATISTICS, "std::minus<>()", "std::plus<>()"),
    Mutant(STATISTICS, "(next * 3 + 1) / 2", "next * 3 / 2"),
    # findings
    Mutant(STATISTICS, "return mean_interval->high - mean;", "return (mean_interval->high - mean) / 2;"),
    Mutant(FINDINGS, "std::ssize(point.chips) >= info.chips", "std::ssize(point.chips) + 1 >= info.chips"),
    Mutant(FINDINGS, "return info.until > 0 && chips_needed", "return chips_needed"),
    Mutant(FINDINGS, "others.find(chip.chip)", "others.find(chip.chip + 1)"),
    Mutant(FINDINGS, "a.push_back(chip.top1_fraction());", "a.push_back(chip.top5_fraction());"),
    Mutant(FINDINGS, "programming / chips / (reading / images)", "programming / (reading / images)"),
    Mutant(FINDINGS, "std::min(next_checkpoint(0), all)", "std::min<int64_t>(2, all)"),
    Mutant(FINDINGS, "cost.points_short += !needed;", ""),
    Mutant(FINDINGS, "std::ssize(run.points) * run.info.chips", "run.info.chips"),
    Mutant(FINDINGS, "chips += *needed;", "chips = *needed;"),
    # what a run writes
    Mutant(RESULTS, "100 * c.top1 >= least", "100 * c.top1 > least"),
    Mutant(RESULTS, "100 * digital.top1 - lost * digital.images", "100 * digital.top1 - lost * 100"),
    Mutant(RESULTS, "if (&point == &first) return nullptr;", ""),
    Mutant(RESULTS, "seconds > 0 ? images / seconds", "seconds > 0 ? seconds / images"),
    Mutant(RESULTS, "seconds += c.seconds;", "seconds += c.reading_seconds;"),
    Mutant(RESULTS, "c.chip, c.top1_fraction(), c.top5_fraction()", "c.chip, c.top5_fraction(), c.top1_fraction()"),
    Mutant(RESULTS, "{\"clipped_cells\", c.clipped_cells}", "{\"clipped_cells\", c.cells}"),
    Mutant(RUN, "static_cast<double>(top5) / static_cast<double>(images)", "static_cast<double>(top1) / static_cast<double>(images)"),
    Mutant(TABLES, "mean_interval->low > 0 || d->mean_interval->high < 0", "mean_interval->low > 0 && d->mean_interval->high < 0"),
    Mutant(TABLES, "size_t p = 1; p < run.points.size(); ++p", "size_t p = 0; p < run.points.size(); ++p", 1),
    Mutant(TABLES, "std::round(low) == std::round(high)", "low != high"),
    Mutant(TABLES, "percent(s.min)", "percent(s.max)"),
    Mutant(TABLES, "percent(s.median)", "percent(s.mean)"),
    Mutant(TABLES, "percent(five.mean)", "percent(s.mean)"),
    Mutant(TABLES, "s->variance.images / images", "s->variance.images"),
    Mutant(TABLES, "cost->chips == cost->of", "cost->chips != cost->of"),
    # the store
    Mutant(STORE, "store.check_resumes(info, resume);", ""),
    Mutant(STORE, "last.integer(0) >= now.chips", "last.integer(0) > now.chips"),
    Mutant(STORE, "old.data_sha256 != now.data_sha256 || old.images != now.images", "old.data_sha256 != now.data_sha256"),
    Mutant(STORE, "{old.per_layer != now.per_layer, \"--per-layer\"},", ""),
    Mutant(STORE, "if (!resume) refuse(", "if (false) refuse("),
    Mutant(STORE, "INSERT OR IGNORE INTO chip", "INSERT OR REPLACE INTO chip"),
    Mutant(STORE, "WHERE point = ? ORDER BY chip", "WHERE point = ? ORDER BY top1 DESC"),
    Mutant(STORE, "if (c.chip < 0 || !c.sane())", "if (!c.sane())"),
    Mutant(STORE, "s.integer(0) != static_cast<int64_t>(points.size())", "false"),
    Mutant(STORE, "count.integer(0) != read", "false"),
    Mutant(STORE, "i.until = j.at(\"until\");", ""),
    Mutant(STORE, ".bind(c.clipped_cells)\n        .bind(c.stuck_cells)", ".bind(c.stuck_cells)\n        .bind(c.clipped_cells)"),
    # networks onto chips
    Mutant(LOWERING, "step::Quantise{to.options.relu_levels, ", "step::Quantise{to.options.relu_levels + 1, "),
    Mutant("host/chip/plan_builder.h", "plan_.quantise_sites++", "plan_.quantise_sites"),
    Mutant(LOWERING, "to.options.relu_levels > 0 && activate.activation.kind == ActivationKind::relu", "to.options.relu_levels > 0"),
    Mutant(LOWERING, "to.options.fuse_activations && to.memory_readers[plan.input()] == 1", "to.options.fuse_activations"),
    Mutant(LOWERING, "no_mean.mu = 0;", ""),
    Mutant(LOWERING, "perturbation(plan, model, ranges.bias, first.size())", "perturbation(plan, model, ranges.bias, 0)"),
    Mutant(LOWERING, "identity == left ? 0 : 1", "identity == left ? 1 : 0"),
    Mutant(LOWERING, "p.layer = plan.number();", ""),
    Mutant(LOWERING, "step.parameter_is_left = constant == 0;", ""),
    Mutant(LOWERING, "permuted(value.data, dims, from.order), {}", "value.data, {}"),
    Mutant(LOWERING, "step.shift = plan.add_parameter(ParameterRole::shift, norm.shift.data);", ";"),
    Mutant("host/chip/axis_order.cc", "(axis == 0 && shape.per_image)", "false"),
    Mutant(LOWERING, "by_position(pad.end, from.order, 0)", "by_position(pad.begin, from.order, 0)"),
    Mutant(LOWERING, "by_position(slice.step, from.order, 1)", "by_position(slice.step, from.order, 2)"),
    Mutant("host/chip/axis_order.cc", "[&](int g) { return g < axis; }", "[&](int g) { return g <= axis + 1; }"),
    Mutant(NORM, "readers[input] != 1", "readers[input] < 1"),
    Mutant(NORM, "s * bias.data[o] + affine.shift[o]", "bias.data[o] + affine.shift[o]"),
    Mutant(NORM, "norm.mean.data[c] * scale", "norm.mean.data[c]"),
    Mutant(NORM, "graph.values[layer.output].shape.dims.size() == 2", "true"),
    Mutant(NORM, "result.layer.push_back(network.layer[i]);", "result.layer.push_back(static_cast<uint32_t>(result.layer.size()));"),
    # ranges of parameters
    Mutant(RANGE, "for (double& v : values) v = std::abs(v);", ""),
    Mutant(RANGE, "(1 - measured.quantile) / 2", "1 - measured.quantile"),
    Mutant(RANGE, "quantile(values, tail)) / 2", "quantile(values, tail))"),
    Mutant(RANGE, "own.bias / own.weight", "own.weight / own.bias"),
    Mutant(RANGE, "merged.push_back(b / factor)", "merged.push_back(b)"),
    Mutant(RANGE, "return {range, factor * range};", "return {range, range};"),
    Mutant(RANGE, "own.weight == 0 || own.bias == 0", "own.weight == 0"),
    # queries of a graph, calibration
    Mutant(QUERIES, "for (ValueId output : graph.outputs) ++readers[output];", ""),
    Mutant(QUERIES, "for (ValueId output : graph.outputs) ++readers[source[output]];", ""),
    Mutant(QUERIES, "source[node.output] = source[node.inputs[0]];", ""),
    Mutant(QUERIES, "binary->kind != BinaryKind::add", "false"),
    Mutant(QUERIES, "return from != on && needed[on];", "return needed[on];"),
    Mutant(CALIBRATION, "std::max(pass.measure_input(step.inputs[0]).maximum, 0.0f)", "pass.measure_input(step.inputs[0]).maximum"),
    Mutant(CALIBRATION, "parts[0].merge(parts[t])", "parts[0] = parts[t]", 1),
    Mutant(CALIBRATION, "run.count * (t + 1) / threads - first", "run.count / threads"),
]
