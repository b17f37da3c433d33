#include "kernels/cpu/crossbar_read.h"

#include <algorithm>
#include <span>

#include "kernels/cpu/crossbar_joining.h"
#include "kernels/cpu/crossbar_reading.h"
#include "kernels/crossbar/adc.h"

namespace mho::cpu {
namespace {

constexpr int64_t kInt32Limit = int64_t{1} << 30;  // noise may add to a sum that fits

template <class Sum>
void read_all(const CrossbarChip& chip, const CrossbarInput& input, float* y) {
    const CrossbarLayer& l = chip.layer();
    Reading<Sum> reading(chip, input);
    Joining<Sum> joining(chip, reading);
    const int64_t vectors = input.patches.vectors();
    for (int64_t g = 0; g < l.groups; ++g)
        for (int64_t first = 0; first < vectors; first += reading.block()) {
            reading.load(g, first, std::min(reading.block(), vectors - first));
            joining.begin(g);
            for (int64_t rt = 0; rt < l.row_tiles(); ++rt) {
                reading.draw_noise(rt);
                for_each_conversion(l, [&](int s, int p) {
                    reading.sums(rt, s, p, true);
                    reading.convert_sums(rt, s, p);
                    joining.add(rt, s, p);
                });
            }
            for (int64_t v = 0; v < reading.vectors(); ++v)
                joining.finish(v, y + ((first + v) * l.groups + g) * l.outputs, nullptr);
        }
}

template <class Sum>
ColumnHistograms measure_all(const CrossbarChip& chip, const CrossbarInput& input) {
    const CrossbarLayer& l = chip.layer();
    Reading<Sum> reading(chip, input);
    ColumnHistograms h = column_histograms(l, chip.largest_sum());
    h.counts.assign(static_cast<size_t>(range_count(l)), std::vector<int64_t>(ColumnHistograms::kBins, 0));
    const int64_t vectors = input.patches.vectors();
    for (int64_t g = 0; g < l.groups; ++g)
        for (int64_t first = 0; first < vectors; first += reading.block()) {
            reading.load(g, first, std::min(reading.block(), vectors - first));
            for (int64_t rt = 0; rt < l.row_tiles(); ++rt)
                for_each_conversion(l, [&](int s, int p) {
                    const std::span<Sum> sums = reading.sums(rt, s, p, false);
                    for (int64_t c = 0; c < l.columns(); ++c) {
                        const int64_t range = range_index(l, g, rt, s, p, c);
                        std::vector<int64_t>& counts = h.counts[static_cast<size_t>(range)];
                        for (int64_t i = 0; i < reading.vectors() * reading.reads(); ++i)
                            ++counts[h.bin_of(sums[static_cast<size_t>(i * reading.pitch() + c)])];
                    }
                });
        }
    return h;
}

template <class Sum>
CrossbarTrace trace_all(const CrossbarChip& chip, const CrossbarInput& input, int64_t first, int64_t count) {
    const CrossbarLayer& l = chip.layer();
    Reading<Sum> reading(chip, input);
    Joining<Sum> joining(chip, reading);
    CrossbarTrace t;
    t.positions = count;
    t.phases = reading.codes().phases;
    t.steps = reading.codes().steps;
    t.row_tiles = l.row_tiles();
    t.conversions = l.conversions();
    const int64_t columns = l.columns(), arrays = t.row_tiles * l.slices() * t.conversions;
    t.output.resize(static_cast<size_t>(count * l.groups * l.outputs));
    if (joining.pools()) t.joined.resize(t.output.size());
    t.column_sum.resize(static_cast<size_t>(l.groups * count * reading.reads() * arrays * columns));
    t.code.resize(t.column_sum.size());
    for (int64_t g = 0; g < l.groups; ++g)
        for (int64_t v = 0; v < count; ++v) {  // one vector at a time: its index is its position in the trace
            reading.load(g, first + v, 1);
            joining.begin(g);
            t.input.insert(t.input.end(), reading.vector_codes(0), reading.vector_codes(0) + l.rows());
            for (int64_t rt = 0; rt < l.row_tiles(); ++rt) {
                reading.draw_noise(rt);
                for_each_conversion(l, [&](int s, int p) {
                    const std::span<Sum> sums = reading.sums(rt, s, p, true);
                    const auto copy_to = [&](std::vector<int64_t>& out) {
                        for (int64_t read = 0; read < reading.reads(); ++read) {
                            const int64_t array = (rt * l.slices() + s) * t.conversions + p;
                            const int64_t at = ((g * count + v) * reading.reads() + read) * arrays + array;
                            std::copy_n(sums.data() + read * reading.pitch(), columns,
                                        out.begin() + at * columns);
                        }
                    };
                    copy_to(t.column_sum);
                    reading.convert_sums(rt, s, p);
                    copy_to(t.code);
                    joining.add(rt, s, p);
                });
            }
            joining.finish(0, t.output.data() + (v * l.groups + g) * l.outputs,
                           t.joined.empty() ? nullptr : t.joined.data() + (g * count + v) * l.outputs);
        }
    return t;
}

/// Whether every sum of the chip, noise and the squares of its parts too, fits 32 bits.
bool fits_32_bits(const CrossbarChip& chip) {
    const CrossbarLayer& l = chip.layer();
    if (chip.largest_sum() >= kInt32Limit) return false;
    if (!chip.has_read_noise()) return true;
    const int64_t part = l.largest_part();
    return l.largest_row_tile() * part * part * 32767 < kInt32Limit;
}

}  // namespace

void read_crossbar(const CrossbarChip& chip, const CrossbarInput& input, float* y) {
    return fits_32_bits(chip) ? read_all<int32_t>(chip, input, y) : read_all<int64_t>(chip, input, y);
}

ColumnHistograms measure_columns(const CrossbarChip& chip, const CrossbarInput& input) {
    return fits_32_bits(chip) ? measure_all<int32_t>(chip, input) : measure_all<int64_t>(chip, input);
}

CrossbarTrace trace_crossbar(const CrossbarChip& chip, const CrossbarInput& input, int64_t first,
                             int64_t count) {
    CrossbarTrace t = fits_32_bits(chip) ? trace_all<int32_t>(chip, input, first, count)
                                         : trace_all<int64_t>(chip, input, first, count);
    const CrossbarLayer& l = chip.layer();
    if (!chip.ideal_converters()) t.converters = in_trace_order(l, chip.converter_numbers());
    for_each_array(l, [&](int64_t g, int s, int p) {
        for (int64_t place : chip.rows().place)
            for (int64_t c = 0; c < l.columns(); ++c)
                t.conductance.push_back(chip.conductance(g, s, p).at(place, c));
    });
    return t;
}

}  // namespace mho::cpu
