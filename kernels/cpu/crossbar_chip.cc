#include "kernels/cpu/crossbar_chip.h"

#include <algorithm>

#include "kernels/cpu/random.h"
#include "kernels/cpu/simd.h"
#include "kernels/crossbar/adc.h"
#include "kernels/crossbar/conductance.h"
#include "kernels/crossbar/levels.h"

namespace mho::cpu {
namespace {

constexpr int64_t kCellsAtATime = 4096;  // what is drawn at once stays in the first-level cache

/// One row of cells: target -> programmed. Returns how many were cut.
MHO_SIMD_CLONES int64_t sample_row(const DeviceModel& device, float sigma, const float* n, int64_t count,
                                   int16_t* cells) {
    int64_t clipped = 0;
    for (int64_t c = 0; c < count; ++c) {
        const float g = deviated(device, sigma, static_cast<float>(cells[c]), n[c]);
        clipped += is_clipped(g) ? 1 : 0;
        cells[c] = on_grid(g);
    }
    return clipped;
}

}  // namespace

RowLayout::RowLayout(const CrossbarLayer& layer) : begin{0}, place(static_cast<size_t>(layer.rows())) {
    for (size_t t = 0; t + 1 < layer.row_begin.size(); ++t) {
        for (int64_t r = layer.row_begin[t]; r < layer.row_begin[t + 1]; ++r)
            place[static_cast<size_t>(r)] = begin.back() + r - layer.row_begin[t];
        const int64_t rows = layer.row_begin[t + 1] - layer.row_begin[t];
        begin.push_back(begin.back() + (rows + 1) / 2 * 2);
    }
}

CrossbarChip::CrossbarChip(const CrossbarLayer& layer) : layer_(layer), rows_(layer) {
    const size_t arrays = static_cast<size_t>(layer.groups * layer.slices * layer.polarities());
    const PairedMatrix empty(rows_.begin.back(), layer.columns());
    conductance_.assign(arrays, empty);
    if (layer.device.read_noise > 0) variance_.assign(arrays, empty);
}

void CrossbarChip::program(const ChipAddress& address, const CrossbarCalibration& calibration) {
    const bool same_cells =
        programmed_ && address == address_ && calibration.bias_level == calibration_.bias_level;
    address_ = address;
    calibration_ = calibration;
    if (!same_cells) {
        std::vector<int16_t> cells = targets();
        report_ = {};
        report_.cells =
            layer_.groups * layer_.slices * layer_.polarities() * layer_.rows() * layer_.columns();
        report_.write_verify_tries = report_.cells;
        if (!address.nominal) sample_cells(cells);
        pack(cells);
        programmed_ = true;
    }
    if (!ideal_converters() && !calibration_.lo.empty()) sample_converters();
}

/// The layer's targets, bias rows at the levels that calibration chose.
std::vector<int16_t> CrossbarChip::targets() const {
    std::vector<int16_t> cells = layer_.target;
    if (layer_.bias_rows == 0 || calibration_.bias_level.empty()) return cells;
    for (int64_t g = 0; g < layer_.groups; ++g)
        for (int s = 0; s < layer_.slices; ++s)
            for (int p = 0; p < layer_.polarities(); ++p)
                for (int64_t row = layer_.inputs; row < layer_.rows(); ++row)
                    for (int64_t c = 0; c < layer_.outputs; ++c) {
                        const int32_t q =
                            calibration_.bias_level[static_cast<size_t>(g * layer_.outputs + c)];
                        const size_t first = array(g, s, p) * static_cast<size_t>(layer_.rows());
                        cells[(first + static_cast<size_t>(row)) * static_cast<size_t>(layer_.pitch()) +
                              static_cast<size_t>(c)] = static_cast<int16_t>(cell_target(layer_, q, s, p));
                    }
    return cells;
}

/// physics.md section 3, steps 1, 2 and 5, over the rows of all arrays in cell order.
void CrossbarChip::sample_cells(std::vector<int16_t>& cells) {
    const DeviceModel& device = layer_.device;
    const float sigma = grid_sigma(device);
    const int64_t pitch = layer_.pitch(), columns = layer_.columns();
    const int64_t rows = static_cast<int64_t>(cells.size()) / pitch;
    const int64_t at_a_time = std::max<int64_t>(1, kCellsAtATime / pitch);
    for (int64_t first = 0; first < rows; first += at_a_time) {
        const int64_t count = std::min(at_a_time, rows - first);
        const RowDraws draws = draw(static_cast<uint64_t>(first * pitch), static_cast<size_t>(count * pitch));
        for (int64_t r = 0; r < count; ++r) {
            int16_t* row = cells.data() + (first + r) * pitch;
            if (has_faults(device))
                sample_faulty_row(draws, static_cast<size_t>(r * pitch), sigma, row);
            else if (device.error != ErrorKind::none)
                report_.clipped_cells += sample_row(device, sigma, draws.n.data() + r * pitch, columns, row);
        }
    }
}

CrossbarChip::RowDraws CrossbarChip::draw(uint64_t element, size_t count) const {
    const DeviceModel& device = layer_.device;
    RowDraws draws;
    if (device.error != ErrorKind::none) draws.n.resize(count);
    if (device.error == ErrorKind::uniform)
        fill_uniforms(stream(Domain::programming), element, draws.n);
    else
        fill_normals(stream(Domain::programming), element, draws.n);
    if (has_faults(device)) {
        draws.fault.resize(count);
        draws.fault_value.resize(count);
        fill_words(stream(Domain::fault), element, draws.fault);
        if (device.stuck_value == StuckValue::uniform)
            fill_words(stream(Domain::fault_value), element, draws.fault_value);
    }
    return draws;
}

/// `at`: where the row's draws begin.
void CrossbarChip::sample_faulty_row(const RowDraws& draws, size_t at, float sigma, int16_t* row) {
    const DeviceModel& device = layer_.device;
    const FaultThresholds faults = fault_thresholds(device);
    const float g_min = static_cast<float>(layer_.g_min);
    for (int64_t c = 0; c < layer_.columns(); ++c, ++at) {
        const float n = draws.n.empty() ? 0.0f : draws.n[at];
        const ProgrammedCell cell = programmed_cell(device, sigma, faults, g_min, static_cast<float>(row[c]),
                                                    n, draws.fault[at], draws.fault_value[at]);
        row[c] = cell.g;
        report_.clipped_cells += cell.clipped ? 1 : 0;
        report_.stuck_cells += cell.stuck ? 1 : 0;
    }
}

/// From cell order to the order in which the integer product reads, and the bound on every column sum.
void CrossbarChip::pack(const std::vector<int16_t>& cells) {
    const int64_t pitch = layer_.pitch(), columns = layer_.columns();
    std::vector<int16_t> variance(static_cast<size_t>(columns));
    std::vector<int64_t> sum(static_cast<size_t>(columns));
    const int16_t* row = cells.data();
    int64_t largest = 0;
    for (size_t a = 0; a < conductance_.size(); ++a)
        for (size_t tile = 0; tile + 1 < layer_.row_begin.size(); ++tile) {
            std::fill(sum.begin(), sum.end(), 0);
            for (int64_t r = layer_.row_begin[tile]; r < layer_.row_begin[tile + 1]; ++r, row += pitch) {
                const int64_t place = rows_.place[static_cast<size_t>(r)];
                conductance_[a].set_row(place, row);
                for (size_t c = 0; c < sum.size(); ++c) sum[c] += row[c];
                if (variance_.empty()) continue;
                for (size_t c = 0; c < sum.size(); ++c) variance[c] = read_variance(row[c]);
                variance_[a].set_row(place, variance.data());
            }
            largest = std::max(largest, *std::max_element(sum.begin(), sum.end()));
        }
    largest_sum_ = largest * ((int64_t{1} << layer_.input.dac_bits) - 1);
}

void CrossbarChip::sample_converters() {
    const CrossbarLayer& l = layer_;
    const size_t size = static_cast<size_t>(l.groups * l.row_tiles() * l.slices * l.polarities() * l.pitch());
    std::vector<float> gain(size, 0.0f), offset(size, 0.0f);
    if (l.adc.gain_sigma > 0) fill_normals(stream(Domain::converter_gain), 0, gain);
    if (l.adc.offset_sigma > 0) fill_normals(stream(Domain::converter_offset), 0, offset);
    converter_a_.assign(size, 0.0f);
    converter_b_.assign(size, 0.0f);
    for (int64_t g = 0; g < l.groups; ++g)
        for (int64_t rt = 0; rt < l.row_tiles(); ++rt)
            for (int s = 0; s < l.slices; ++s)
                for (int p = 0; p < l.conversions(); ++p) {
                    const int64_t first = conversion(g, rt, s, p);
                    for (int64_t c = 0; c < l.columns(); ++c) {
                        const size_t range = static_cast<size_t>(range_index(l, g, rt, s, p, c));
                        const size_t draw = static_cast<size_t>(first + first_of_converter(l, c));
                        const Converter made =
                            make_converter(calibration_.lo[range], calibration_.step[range],
                                           l.adc.gain_sigma * gain[draw], l.adc.offset_sigma * offset[draw]);
                        converter_a_[static_cast<size_t>(first + c)] = made.a;
                        converter_b_[static_cast<size_t>(first + c)] = made.b;
                    }
                }
}

}  // namespace mho::cpu
