// A block: blockIdx.x says which input vectors, .y which columns, .z which group. Array by array (row tile,
// slice, conversion; with subtraction before the ADC both polarities are one conversion) its threads sample
// the cells into shared memory (crossbar_arrays.h), where the codes of its vectors lie too
// (crossbar_inputs.h). A warp takes 16 vectors at a time through all steps: sums (crossbar_sums.h), then
// codes (crossbar_codes.h).
#include "kernels/cuda/crossbar_mvm_adc.h"

#include <limits>

#include "kernels/base/error.h"
#include "kernels/cuda/crossbar_arrays.h"
#include "kernels/cuda/crossbar_codes.h"
#include "kernels/cuda/crossbar_inputs.h"
#include "kernels/cuda/crossbar_sums.h"
#include "kernels/cuda/launch.h"

namespace mho::cuda {
namespace {

/// All reads of one conversion for 16 vectors and 16 columns.
template <class Kind, bool kNoisy, bool kInspect>
__device__ void read_tile(const CrossbarParams& p, const ColumnChunk& chunk, Conversion c,
                          int32_t first_vector, int tile) {
    using Integer = typename Kind::Joined;
    const LaneLayout at(p, chunk, first_vector, tile);
    const LaneConverters converters(p, c, at);
    LaneSums<Integer> joined = {};
    for (int phase = 0; phase < p.read.phases; ++phase) {
        float unit = 1.0f;  // of the sums that keep the weight of their step
        Integer weight = phase == 0 ? 1 : -1;
        for (int step = 0; step < p.read.steps; step += Kind::kSteps) {
            LaneSums<typename Kind::Sum> sums[Kind::kSteps];
            c.read = phase * p.read.steps + step;
            const Conversion first = c;
            TileRead<Kind>(p, first, phase, first_vector, tile, at).template sum<kNoisy>(sums);
            MHO_UNROLL
            for (int t = 0; t < Kind::kSteps; ++t, unit *= p.read.part_unit, weight <<= p.read.dac_bits) {
                if (step + t >= p.read.steps) continue;
                c.read = phase * p.read.steps + step + t;
                LaneSums<Integer> codes;
                if constexpr (Kind::kQuiet)
                    convert_sums(p, converters, unit, sums[t], codes);
                else
                    convert_sums<Kind>(p, c, at, converters, sums[t], codes);
                if constexpr (kInspect) {
                    const int kept = Kind::kQuiet ? kept_shift<Kind>(p, step + t) : 0;
                    inspect_read(p, chunk, c, at, kept, sums[t], codes);
                }
                for_each_sum([&](int j, int i) { joined[j][i] += weight * codes[j][i]; });
            }
        }
    }
    join_reads<Kind>(p, c, at, first_vector, joined);
}

/// One result for each vector and owned output of the block.
template <class Kind, bool kInspect>
__device__ void write_outputs(const CrossbarParams& p, const ColumnChunk& chunk) {
    const Joined<Kind>* all = shared_part<Joined<Kind>>(p.block.joined);
    const int64_t* code_sums = shared_part<int64_t>(p.block.code_sums);
    for (int32_t e = threadIdx.x; e < p.block.vectors * p.block.columns; e += kBlockThreads) {
        const int32_t v = e / p.block.columns, slot = e % p.block.columns, quad = chunk.quad_column[slot / 4];
        const int64_t vector = p.first_vector + int64_t{blockIdx.x} * p.block.vectors + v;
        const int32_t column = quad + slot % 4;
        if (quad < 0 || column >= p.outputs || vector >= p.geometry.vectors || !(chunk.owned >> slot & 1))
            continue;
        Joined<Kind> joined = all[e];
        const bool integer = p.rule.kind != CodeScale::separate;
        if (p.rule.takes_reference) {
            const Joined<Kind>& reference = all[v * p.block.columns + chunk.reference_slot[slot]];
            if (integer)
                joined.sum -= reference.sum;
            else
                joined.z -= reference.z;
        }
        const int64_t output = int64_t{blockIdx.z} * p.outputs + column;
        const float y = output_of(p.rule, p.scales[output], integer ? joined.sum : 0,
                                  integer ? 0.0f : joined.z, p.rule.per_code == 0 ? 0 : code_sums[v]);
        p.y[(vector - p.first_vector) * p.groups * p.outputs + output] = p.epilogue.of(y);
        if constexpr (kInspect)
            if (p.inspect.joined && integer) {
                const int64_t positions = p.geometry.vectors - p.first_vector;
                p.inspect.joined[(blockIdx.z * positions + vector - p.first_vector) * p.outputs + column] =
                    joined.sum;
            }
    }
}

template <class Kind, bool kNoisy, bool kInspect, CellErrors kErrors>
__global__ void __launch_bounds__(kBlockThreads) crossbar_mvm_adc(CrossbarParams p) {
    const ColumnChunk& chunk = p.chunks[blockIdx.y];
    const int warp = threadIdx.x / 32, pairs = p.block.columns / 16;  // of 16 x 8 tiles
    for (int32_t e = threadIdx.x; e < p.block.vectors * p.block.columns; e += kBlockThreads)
        shared_part<Joined<Kind>>(p.block.joined)[e].sum = 0;  // as a float 0 too
    for (int32_t v = threadIdx.x; v < p.block.vectors; v += kBlockThreads)
        shared_part<int64_t>(p.block.code_sums)[v] = 0;
    __syncthreads();
    for (int32_t row_tile = 0; row_tile < p.row_tiles; ++row_tile) {
        load_codes<Kind, kInspect>(p, row_tile);
        for (int32_t slice = 0; slice < p.slices; ++slice)
            for (int32_t conversion = 0; conversion < p.conversions; ++conversion) {
                for (int buffer = 0; buffer < polarities_of_conversion(p); ++buffer)
                    sample_array<kNoisy, kErrors>(p, chunk, row_tile, slice, conversion + buffer, buffer);
                __syncthreads();
                for (int32_t w = warp; w < p.block.vectors / kTileVectors * pairs; w += kWarps)
                    read_tile<Kind, kNoisy, kInspect>(p, chunk, {row_tile, slice, conversion, 0},
                                                      w / pairs * kTileVectors, w % pairs * 2);
                __syncthreads();
            }
    }
    if (p.inspect.histogram) return;
    write_outputs<Kind, kInspect>(p, chunk);
}

using Kernel = void (*)(CrossbarParams);

template <class Kind, bool kNoisy>
Kernel kernel_of(bool inspects, CellErrors errors) {
    if (inspects) return crossbar_mvm_adc<Kind, kNoisy, true, CellErrors::any>;
    return errors == CellErrors::any ? crossbar_mvm_adc<Kind, kNoisy, false, CellErrors::any>
                                     : crossbar_mvm_adc<Kind, kNoisy, false, CellErrors::normal_of_g_max>;
}

Kernel kernel_of(const CrossbarLaunch& l, bool inspects, CellErrors errors) {
    if (l.kind == ReadKind::quiet_bytes) return kernel_of<QuietBytes, false>(inspects, errors);
    if (l.kind == ReadKind::wide)
        return l.noisy ? kernel_of<WideCodes, true>(inspects, errors)
                       : kernel_of<WideCodes, false>(inspects, errors);
    return l.noisy ? kernel_of<ByteCodes<2>, true>(inspects, errors)
                   : kernel_of<ByteCodes<4>, false>(inspects, errors);
}

bool looks_inside(const Inspection& i) {
    return i.input || i.column_sum || i.code || i.joined || i.histogram;
}

}  // namespace

void read_crossbar(const CrossbarLaunch& l, CrossbarParams p, int64_t vectors, int64_t chunks,
                   cudaStream_t stream) {
    if (p.geometry.vectors > std::numeric_limits<int32_t>::max())
        throw InputError(
            "a layer of more than 2^31 input vectors a batch: ask for a smaller monte_carlo.batch");
    p.block = l.block;
    const dim3 grid(static_cast<unsigned>((vectors + l.block.vectors - 1) / l.block.vectors),
                    static_cast<unsigned>(chunks), static_cast<unsigned>(p.groups));
    launch("crossbar_mvm_adc", kernel_of(l, looks_inside(p.inspect), errors_of(p.cells)),
           {grid, kBlockThreads, l.shared}, stream, p);
}

}  // namespace mho::cuda
