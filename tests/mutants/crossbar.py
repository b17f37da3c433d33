"""Mutants of crossbars: kinds of devices and converters, levels, joining, the CPU's cells and reads, mapping, ranges."""

from mutant import Mutant, Test

POLYNOMIAL, LOGNORMAL, DEVICE = "kernels/devices/polynomial.h", "kernels/devices/lognormal.h", "kernels/devices/device.h"
SAR, UNIFORM = "kernels/adcs/sar.h", "kernels/adcs/uniform.h"
CELL, ADC, JOINING = "kernels/crossbar/conductance.h", "kernels/crossbar/adc.h", "kernels/crossbar/joining.h"
SLICING, SLICES = "kernels/crossbar/slicing.cc", "kernels/crossbar/slices.h"
LEVELS, SCHEMES, INPUT = "kernels/crossbar/levels.h", "kernels/crossbar/schemes.h", "kernels/crossbar/input_code.h"
ADDRESS, LAYER, SETTINGS = "kernels/crossbar/draw_address.h", "kernels/crossbar/layer.h", "kernels/crossbar/settings.h"
CHIP, READING, READ = "kernels/cpu/crossbar_chip.cc", "kernels/cpu/crossbar_reading.h", "kernels/cpu/crossbar_read.cc"
CPU_JOINING, PATCHES, INTEGER = "kernels/cpu/crossbar_joining.h", "kernels/cpu/patches.cc", "kernels/cpu/integer_product.cc"
MAPPING, RANGES, PLAN = "host/chip/mapping.cc", "host/chip/ranges.cc", "host/chip/point_plan.cc"
RULES, KEYS, READ_CONFIG = "host/config/rules.cc", "host/config/keys.cc", "host/config/read.cc"

ORACLE = [Test("cpu_contract_test", "*CrossbarOracle*", 600), Test("cpu_contract_test", "*ChipContract*", 300)]
KINDS = [Test("devices_test", "*", 120), *ORACLE]
LOOKED_AT_BY = {
    "kernels/devices/": KINDS,
    "kernels/adcs/": KINDS,
    "kernels/crossbar/": ORACLE,
    "kernels/crossbar/settings.h": [*KINDS, Test("config_test", "*", 120)],
    "kernels/crossbar/slicing.cc": [Test("point_plan_test", "*", 120), Test("config_test", "*", 120), *ORACLE],
    "kernels/cpu/": ORACLE,
    INTEGER: [Test("integer_product_test", "*", 120), *ORACLE],
    "host/chip/": [*ORACLE, Test("point_plan_test", "*", 120)],
    "host/config/": [Test("config_test", "*", 120), Test("devices_test", "*", 120), Test("point_plan_test", "*", 120)],
}

MUTANTS = [
    # kinds of errors
    Mutant(DEVICE, "s.relative_to == RelativeTo::g_max ? s.sigma * grid.g_max", "s.relative_to == RelativeTo::g_max ? s.sigma"),
    Mutant(DEVICE, "fmaf(proportional, target, constant)", "constant"),
    Mutant(DEVICE, "fmaf(sigma, n, target)", "fmaf(-sigma, n, target)"),
    Mutant(LOGNORMAL, "exp_of(sigma * n)", "exp_of(-sigma * n)"),
    Mutant(POLYNOMIAL, "static_cast<int>(k) - 1", "static_cast<int>(k)"),
    Mutant(POLYNOMIAL, "sigma > 0 ? sigma : 0.0f", "sigma"),
    Mutant(POLYNOMIAL, "k-- > 0;", "k-- > 1;"),
    Mutant(SETTINGS, "description_of(error).scaled && sigma == 0", "sigma == 0"),
    # cells
    Mutant(CELL, "fault < m.faults.low", "fault <= m.faults.low + 100000000"),
    Mutant(CELL, "high ? m.g_max : m.g_min", "high ? m.g_min : m.g_max"),
    Mutant(CELL, "m.g_max - m.g_min, m.g_min", "m.g_max, m.g_min"),
    Mutant(CELL, "g < 0.0f || g > kGridMax", "g < 0.0f"),
    Mutant(CELL, "(1 << 14)", "(1 << 13)"),
    Mutant(CELL, "181.019336f", "181.0f"),
    Mutant(CHIP, "Domain::fault_value", "Domain::fault"),
    Mutant(CHIP, "if (!address.nominal) sample_cells(cells);", "sample_cells(cells);"),
    Mutant(CHIP, "sampled_ != wanted", "!sampled_"),
    Mutant(CELL, "rintf(cut(g, 0.0f, kGridMax))", "floorf(cut(g, 0.0f, kGridMax))"),
    Mutant(CELL, "kGridMax = 32767.0f", "kGridMax = 32766.0f"),
    # converters
    Mutant(ADC, "(1.0f + gain) / step", "1.0f / step"),
    Mutant(ADC, "offset - lo * a", "-lo * a"),
    Mutant(ADC, "/ l.adc.columns_per_adc * l.adc.columns_per_adc", ""),
    Mutant(ADC, "if (column >= l.outputs) return column;", ""),
    Mutant(ADC, "k * count + first", "k + first"),
    Mutant(UNIFORM, "rintf(v)", "floorf(v)"),
    Mutant(SAR, "level = -0.5f", "level = 0.0f"),
    Mutant(SAR, "v >= trial", "v > trial"),
    Mutant(SAR, "sqrtf(units) * mismatch", "mismatch"),
    Mutant(SAR, "const float steps = units / all;", "const float steps = 1.0f;"),
    Mutant(SAR, "n(bits), 1.0f), units", "n(0), 1.0f), units"),
    Mutant(CHIP, "Domain::converter_offset", "Domain::converter_gain"),
    # levels and joining
    Mutant(SCHEMES, "polarity == 0 ? q : -q", "polarity == 0 ? -q : q"),
    Mutant(SCHEMES, "(polarity == 0 ? digit : -digit)", "digit"),
    Mutant(SCHEMES, "return 2 * q_max;", "return q_max;"),
    Mutant(SLICING, "half_levels ? 2 : 1) * slice.full + 1", "half_levels ? 1 : 1) * slice.full + 1"),
    Mutant(SLICING, "half_levels ? 2 : 1) * slice.full + 1", "half_levels ? 2 : 1) * slice.full"),
    Mutant(SLICING, "(left + most - 1) / most", "left / most + 1"),
    Mutant(SLICING, "(left + cells - 1) / cells", "left / cells"),
    Mutant(SLICING, ".shift = bits - left", ".shift = left - 1"),
    Mutant(SLICING, "asked.slice_bits == SliceBits::even", "asked.slice_bits != SliceBits::even"),
    Mutant(SLICING, "largest >> s.shift", "largest"),
    Mutant(SLICING, "asked.slice_range == SliceRange::common", "asked.slice_range != SliceRange::common"),
    Mutant(SLICING, "std::max(largest_digit, s.full)", "s.full"),
    Mutant(SLICES, ">> s.shift", ">> s.bits"),
    Mutant(LEVELS, "sum -= l.slice(s).weight * reference_target(l, s)", "sum -= reference_target(l, s)"),
    Mutant(LEVELS, "std::rint(u * steps / full) * full / steps", "std::rint(u * steps / full)"),
    Mutant(JOINING, "codes.phases == 2 ? 0 :", ""),
    Mutant(JOINING, "l.bias_rows * joined_target", "joined_target"),
    Mutant(JOINING, "if (rule.takes_reference) lowest_codes = 0;", ""),
    Mutant(JOINING, "fmaf(scale, static_cast<float>(joined), z)", "fmaf(scale, static_cast<float>(joined), -z)"),
    Mutant(INPUT, "v > 0 ? v : 0", "v"),
    Mutant(INPUT, "(1 << (x_bits - 1)) - 1", "(1 << (x_bits - 1))"),
    Mutant(ADDRESS, "static_cast<uint64_t>(e.row_tiles) +", "1 +"),
    Mutant(CPU_JOINING, "sum -= sums[reference];", ""),
    Mutant(CPU_JOINING, "real -= z[reference];", ""),
    # reads
    Mutant(READING, "phase == 1 ? -of_read : of_read", "of_read"),
    Mutant(READING, "high_variances_[i] * (1 << kLowBits)", "high_variances_[i]"),
    Mutant(READING, "sum_polarity(row_tile, slice, 1, noisy, other_);", "sum_polarity(row_tile, slice, 1, false, other_);"),
    Mutant(READ, "< kInt32Limit;", "< kInt32Limit * 8;", 1),
    Mutant(PATCHES, "* window_.dilation[1]", ""),
    Mutant(PATCHES, "group * group_channels_", "0"),
    # mapping and ranges
    Mutant(MAPPING, "extent * t / tiles", "extent * t / tiles + (t > 0 && t < tiles ? 0 : 0) - (t == 1 ? 1 : 0)"),
    Mutant(SETTINGS, "(int64_t{1} << (weight_bits - 1)) - 1", "(int64_t{1} << (weight_bits - 1))"),
    Mutant(SETTINGS, "cell_bits < bits_of(largest_level())", "cell_bits <= bits_of(largest_level())"),
    Mutant(MAPPING, "half_levels) multiple *= 2", "half_levels) multiple *= 1"),
    Mutant(MAPPING, "std::lcm(multiple, s.full)", "s.full"),
    Mutant(MAPPING, "(s.full / shared) << s.shift", "s.full << s.shift"),
    Mutant(MAPPING, "grid.joined_step = grid.span / shared", "grid.joined_step = grid.span"),
    Mutant(MAPPING, "s.g_step = grid.span / s.full", "s.g_step = grid.span / grid.slices[0].full"),
    Mutant(MAPPING, "g_ratio / (1 - g_ratio)", "g_ratio"),
    Mutant(MAPPING, "c.scale != WeightScale::column", "true"),
    Mutant(MAPPING, "row < l.inputs ? l.outputs : 0", "l.outputs"),
    Mutant(MAPPING, "!l.has_reference_column()) l.code_offset", "true) l.code_offset"),
    Mutant(RANGES, "1 - percentile / 100) / 2", "1 - percentile / 100)"),
    Mutant(RANGES, "(high + 1) * width - 1", "high * width"),
    Mutant(RANGES, "steps - std::ldexp(1.0, bits - 1)", "steps"),
    Mutant(RANGES, "below <= left_out", "below < left_out"),
    Mutant(RANGES, "std::ceil(largest / (rows * q_max))", "std::floor(largest / (rows * q_max))"),
    Mutant(RANGES, "1.0f / c.x_lsb", "c.x_lsb"),
    Mutant(RANGES, "h.minimum < 0", "h.minimum <= 0"),
    # what a config means
    Mutant(PLAN, "choice.mapping.network_scale = scale;", ""),
    Mutant(PLAN, "layer.digital || ", ""),
    Mutant(RULES, "return value_of(*find_key(k->kind_key), c) == ConfigValue{k->kind};", "return true;"),
    Mutant(READ_CONFIG, "nested && is_table(name)", "false && is_table(name)"),
    Mutant(READ_CONFIG, "prefix.empty() || is_table(name)", "prefix.empty()"),
]
