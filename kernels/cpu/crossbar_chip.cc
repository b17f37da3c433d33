#include "kernels/cpu/crossbar_chip.h"

#include <algorithm>

#include "kernels/cpu/random.h"
#include "kernels/cpu/simd.h"

namespace mho::cpu {
namespace {

constexpr int64_t kCellsAtATime = 4096;  // what is drawn at once stays in the first-level cache

// Clones cannot be templates: a loop of its own for each kind of error, made from the one list. One row of
// cells: target -> programmed; returns how many were cut.
#define MHO_SAMPLE_ROW(name, Type)                                                             \
    MHO_SIMD_CLONES int64_t sample_row_##name(const Type error, const float* n, int64_t count, \
                                              int16_t* cells) {                                \
        int64_t clipped = 0;                                                                   \
        for (int64_t c = 0; c < count; ++c) {                                                  \
            const float g = error.deviated(static_cast<float>(cells[c]), n[c]);                \
            clipped += is_clipped(g) ? 1 : 0;                                                  \
            cells[c] = on_grid(g);                                                             \
        }                                                                                      \
        return clipped;                                                                        \
    }
MHO_EACH_DEVICE_ERROR(MHO_SAMPLE_ROW)

int64_t sample_row(const ProgrammingError& error, const float* n, int64_t count, int16_t* cells) {
    switch (error.kind) {
#define MHO_CASE(name, Type) \
    case ErrorKind::name:    \
        return sample_row_##name(error.name, n, count, cells);
        MHO_EACH_DEVICE_ERROR(MHO_CASE)
    }
    return 0;
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

CrossbarChip::CrossbarChip(const CrossbarLayer& layer)
    : layer_(layer), cells_(cell_model(layer)), adc_(adc_model(layer)), rows_(layer) {
    const size_t arrays = static_cast<size_t>(layer.groups * layer.slices() * layer.polarities());
    const PairedMatrix empty(rows_.begin.back(), layer.columns());
    conductance_.assign(arrays, empty);
    if (layer.device.read_noise > 0) variance_.assign(arrays, empty);
}

void CrossbarChip::program(const ChipAddress& address, const CrossbarCalibration& calibration) {
    const CellsOnChip wanted{address, calibration.bias_level};
    address_ = address;
    calibration_ = calibration;
    if (sampled_ != wanted) {
        std::vector<int16_t> cells = targets_with_bias(layer_, calibration_);
        report_ = {};
        report_.cells = cells_on_arrays(layer_);
        report_.write_verify_tries = report_.cells;
        if (!address.nominal) sample_cells(cells);
        pack(cells);
        sampled_ = wanted;
    }
    if (!ideal_converters() && !calibration_.lo.empty()) sample_converters();
}

/// physics.md section 3, steps 1, 2 and 5, over the rows of all arrays in cell order.
void CrossbarChip::sample_cells(std::vector<int16_t>& cells) {
    const int64_t pitch = layer_.pitch(), columns = layer_.columns();
    const int64_t rows = static_cast<int64_t>(cells.size()) / pitch;
    const int64_t at_a_time = std::max<int64_t>(1, kCellsAtATime / pitch);
    for (int64_t first = 0; first < rows; first += at_a_time) {
        const int64_t count = std::min(at_a_time, rows - first);
        const RowDraws draws = draw(static_cast<uint64_t>(first * pitch), static_cast<size_t>(count * pitch));
        for (int64_t r = 0; r < count; ++r) {
            int16_t* row = cells.data() + (first + r) * pitch;
            if (cells_.has_faults())
                sample_faulty_row(draws, static_cast<size_t>(r * pitch), row);
            else if (!draws.n.empty())
                report_.clipped_cells += sample_row(cells_.error, draws.n.data() + r * pitch, columns, row);
        }
    }
}

CrossbarChip::RowDraws CrossbarChip::draw(uint64_t element, size_t count) const {
    RowDraws draws;
    const Draw kind = cells_.error.draw;
    if (kind != Draw::none) draws.n.resize(count);
    if (kind == Draw::uniform) fill_uniforms(stream(Domain::programming), element, draws.n);
    if (kind == Draw::normal) fill_normals(stream(Domain::programming), element, draws.n);
    if (cells_.has_faults()) {
        draws.fault.resize(count);
        draws.fault_value.resize(count);
        fill_words(stream(Domain::fault), element, draws.fault);
        if (cells_.stuck_value == StuckValue::uniform)
            fill_words(stream(Domain::fault_value), element, draws.fault_value);
    }
    return draws;
}

/// `at`: where the row's draws begin.
void CrossbarChip::sample_faulty_row(const RowDraws& draws, size_t at, int16_t* row) {
    for (int64_t c = 0; c < layer_.columns(); ++c, ++at) {
        const float n = draws.n.empty() ? 0.0f : draws.n[at];
        const ProgrammedCell cell =
            programmed_cell(cells_, static_cast<float>(row[c]), n, draws.fault[at], draws.fault_value[at]);
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
    largest_sum_ = largest * layer_.largest_part();
}

void CrossbarChip::sample_converters() {
    const CrossbarLayer& l = layer_;
    const int64_t count = converter_elements(l);
    const size_t size = static_cast<size_t>(count);
    const float gain_sigma = static_cast<float>(l.adc.gain_sigma),
                offset_sigma = static_cast<float>(l.adc.offset_sigma);
    std::vector<float> gain(size, 0.0f), offset(size, 0.0f), own(size * static_cast<size_t>(adc_.draws));
    if (gain_sigma > 0) fill_normals(stream(Domain::converter_gain), 0, gain);
    if (offset_sigma > 0) fill_normals(stream(Domain::converter_offset), 0, offset);
    fill_normals(stream(Domain::converter_numbers), 0, own);
    converters_.a.assign(size, 0.0f);
    converters_.b.assign(size, 0.0f);
    converters_.own.assign(size * static_cast<size_t>(adc_.numbers), 0.0f);
    for_each_converter(l, [&](int64_t g, int64_t rt, int s, int p, int64_t c, size_t element) {
        const size_t range = static_cast<size_t>(range_index(l, g, rt, s, p, c));
        const size_t draw = converter_element(draw_extents(l), g, rt, s, p, first_of_converter(l, c));
        const Converter made = make_converter(calibration_.lo[range], calibration_.step[range],
                                              gain_sigma * gain[draw], offset_sigma * offset[draw]);
        converters_.a[element] = made.a;
        converters_.b[element] = made.b;
        adc_.make([&](int64_t k) { return own[converter_number_element(k, count, draw)]; },
                  {converters_.own.data(), static_cast<int64_t>(element), count});
    });
}

}  // namespace mho::cpu
