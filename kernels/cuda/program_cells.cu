// A survey's warp takes four neighbouring columns of one array (row tile), a lane every 32nd row of them.
#include "kernels/cuda/program_cells.h"

#include "kernels/crossbar/adc.h"
#include "kernels/cuda/launch.h"

namespace mho::cuda {
namespace {

__device__ inline unsigned long long warp_sum(unsigned long long value) {
    for (unsigned distance = 16; distance > 0; distance /= 2) value += __shfl_down_sync(~0u, value, distance);
    return value;
}

__global__ void survey_kernel(CellSampler cells, const int32_t* row_begin, CellSurvey* survey,
                              int16_t* conductance, int64_t count) {
    const DrawExtents& e = cells.extents;
    const int64_t quads = e.pitch / 4, lane = threadIdx.x % 32;
    for (int64_t i = first_element() / 32; i < count; i += element_stride() / 32) {
        const int64_t column = i % quads * 4, tile = i / quads % e.row_tiles, array = i / quads / e.row_tiles;
        const int64_t polarity = array % e.polarities, slice = array / e.polarities % e.slices;
        const int64_t group = array / e.polarities / e.slices;
        unsigned long long clipped = 0, stuck = 0, sum[4] = {};
        for (int64_t row = row_begin[tile] + lane; row < row_begin[tile + 1]; row += 32) {
            const Cells4 four = sample4(cells, cell_element(e, group, slice, polarity, row, column),
                                        static_cast<int32_t>(cells.columns - column));
            clipped += static_cast<unsigned>(four.clipped);
            stuck += static_cast<unsigned>(four.stuck);
            for (int c = 0; c < 4; ++c) {
                sum[c] += static_cast<unsigned>(four.g[c]);
                if (conductance && column + c < cells.columns)
                    conductance[(array * e.rows + row) * cells.columns + column + c] = four.g[c];
            }
        }
        clipped = warp_sum(clipped);
        stuck = warp_sum(stuck);
        for (int c = 0; c < 4; ++c) sum[c] = warp_sum(sum[c]);
        if (lane > 0) continue;
        if (clipped) atomicAdd(&survey->clipped, clipped);
        if (stuck) atomicAdd(&survey->stuck, stuck);
        for (int c = 0; c < 4; ++c) atomicMax(&survey->largest_column, sum[c]);
    }
}

/// The draws of one converter's own numbers.
struct NumberDraws {
    RandomStream stream;
    int64_t count;
    uint64_t first;

    MHO_HD float operator()(int64_t k) const {
        return normal(stream, converter_number_element(k, count, first));
    }
};

__global__ void converters_kernel(ConverterTable table, ConverterModel m, ConverterTarget to) {
    for (int64_t i = first_element(); i < table.count; i += element_stride()) {
        const int32_t range = table.range[i];
        if (range < 0) continue;
        const uint64_t draw = static_cast<uint64_t>(table.draw[i]);
        const float gain =
            m.gain_sigma > 0 ? normal({m.seed, m.chip, Domain::converter_gain, m.layer}, draw) : 0.0f;
        const float offset =
            m.offset_sigma > 0 ? normal({m.seed, m.chip, Domain::converter_offset, m.layer}, draw) : 0.0f;
        const Converter made =
            make_converter(m.lo[range], m.step[range], m.gain_sigma * gain, m.offset_sigma * offset);
        to.a[i] = made.a;
        to.b[i] = made.b;
        m.adc.make(NumberDraws{{m.seed, m.chip, Domain::converter_numbers, m.layer}, table.count, draw},
                   {to.own, i, table.count});
    }
}

}  // namespace

void survey_cells(const CellSampler& cells, const int32_t* row_begin, CellSurvey* survey,
                  int16_t* conductance, cudaStream_t stream) {
    const DrawExtents& e = cells.extents;
    const int64_t count = e.groups * e.slices * e.polarities * e.row_tiles * (e.pitch / 4);
    launch("survey_cells", survey_kernel, one_thread_each(32 * count), stream, cells, row_begin, survey,
           conductance, count);
}

void make_converters(const ConverterTable& table, const ConverterModel& model, const ConverterTarget& to,
                     cudaStream_t stream) {
    launch("make_converters", converters_kernel, one_thread_each(table.count), stream, table, model, to);
}

}  // namespace mho::cuda
