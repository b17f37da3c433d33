// kernels/cuda/program_cells.h - what programming one chip leaves beside cells, which are sampled where they
// are read: the report, the bound on column sums, the converters.
#pragma once

#include <cstdint>

#include "kernels/crossbar/adc.h"
#include "kernels/cuda/cell_sampler.h"

namespace mho::cuda {

struct CellSurvey {
    unsigned long long clipped, stuck;
    unsigned long long largest_column;  ///< largest sum of the conductances of one column of one array
};

/// Samples every cell once and counts; with `conductance`, also writes them,
/// [group][slice][polarity][row][column].
void survey_cells(const CellSampler& cells, const int32_t* row_begin, CellSurvey* survey,
                  int16_t* conductance, cudaStream_t stream);

/// Where each converter's range and draws come from, in converter order; the same for every chip.
struct ConverterTable {
    const int32_t* range = nullptr;  ///< index into lo and step; -1: no converter
    const int64_t* draw = nullptr;   ///< element of its draws
    int64_t count = 0;
};
struct ConverterModel {
    AdcModel adc;
    float gain_sigma = 0, offset_sigma = 0;
    uint64_t seed = 0;
    uint32_t chip = 0, layer = 0;
    const float *lo = nullptr, *step = nullptr;
};
/// Where the numbers of all converters are written; `own`: numbers x table.count.
struct ConverterTarget {
    float *a = nullptr, *b = nullptr, *own = nullptr;
};
void make_converters(const ConverterTable& table, const ConverterModel& model, const ConverterTarget& to,
                     cudaStream_t stream);

}  // namespace mho::cuda
