// A block: blockIdx.x says which input vectors, .y which columns, .z which group. Array by array (row tile,
// slice, conversion; with subtraction before the ADC both polarities are one conversion) its threads sample
// the cells into shared memory as byte planes (G = 256 high + low), column after column, so that they are B
// fragments of the tensor cores; the codes of its vectors lie there as A fragments. A warp takes 16 vectors
// at a time through all steps. Instead of shifting bit t of a code down, its product keeps the weight 2^t and
// the sum is shifted, which is exact.
//
// Conventions: a lane holds of a 16 x 8 tile the sums of rows lane/4 and lane/4 + 8 at columns 2 (lane mod 4)
// and the one after it; so each lane alone owns its (vector, column) pairs from the product to the joined
// codes.
#include "kernels/cuda/crossbar_mvm_adc.h"

#include <type_traits>

#include "kernels/cuda/activate.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/tensor_core.h"
#include "kernels/input_code.h"

namespace mho::cuda {
namespace {

constexpr int kWarps = kBlockThreads / 32;
constexpr int kDepth = 32;  // rows of one tensor-core product

/// Codes in bytes, sums in 32 bits; so many steps at once as registers hold.
template <int kStepsAtOnce>
struct Bytes {
    using Code = uint8_t;
    using Sum = int32_t;
    static constexpr bool kBytes = true;
    static constexpr int kSteps = kStepsAtOnce;
};
/// Codes of 16 bits, sums of 64.
struct Wide {
    using Code = uint16_t;
    using Sum = int64_t;
    static constexpr bool kBytes = false;
    static constexpr int kSteps = 1;
};

// --- inputs

/// What phase `phase` reads of a code as it is stored: shifted, or signed.
template <class Code>
__device__ uint32_t stored_part(Code stored, int phases, int phase) {
    if (phases == 1) return stored;
    using Signed = std::make_signed_t<Code>;
    return static_cast<uint32_t>(phase_part(static_cast<Signed>(stored), 0, phase));
}

/// The place that a vector's window begins at.
struct WindowPlace {
    int32_t image, depth, height, width;
};

__device__ WindowPlace window_of(const VectorGeometry& g, int64_t vector) {
    const int64_t w = vector % g.out_width, h = vector / g.out_width % g.out_height;
    const int64_t d = vector / (int64_t{g.out_width} * g.out_height) % g.out_depth;
    const int64_t image = vector / (int64_t{g.out_width} * g.out_height * g.out_depth);
    return {static_cast<int32_t>(image), static_cast<int32_t>(d * g.stride[0] - g.pad[0]),
            static_cast<int32_t>(h * g.stride[1] - g.pad[1]),
            static_cast<int32_t>(w * g.stride[2] - g.pad[2])};
}

/// The stored code of one row of one vector.
template <class Code>
__device__ Code gather(const CrossbarParams& p, const WindowPlace& at, int64_t group, int32_t row) {
    const VectorGeometry& g = p.geometry;
    if (row >= p.inputs) return static_cast<Code>(p.read.bias_drive + p.read.code_offset);
    const RowTap tap = g.taps[row];
    const int32_t z = at.depth + tap.depth, y = at.height + tap.height, x = at.width + tap.width;
    const bool inside = z >= 0 && z < g.in_depth && y >= 0 && y < g.in_height && x >= 0 && x < g.in_width;
    if (!inside) return static_cast<Code>(p.read.code_offset);  // code 0
    const int64_t pixel =
        ((int64_t{at.image} * g.in_depth + at.depth) * g.in_height + at.height) * g.in_width + at.width;
    return static_cast<const Code*>(p.codes)[pixel * g.channels + tap.offset + group * g.group_channels];
}

/// The signed code of a stored one.
template <class Code>
__device__ int32_t signed_code(const CrossbarParams& p, Code stored) {
    if (p.read.phases == 1) return static_cast<int32_t>(stored) - p.read.code_offset;
    return static_cast<std::make_signed_t<Code>>(stored);
}

/// Fills the codes of one row tile, [phase][vector][row], and adds each vector's signed codes to its sum.
template <class Kind, bool kInspect>
__device__ void load_codes(const CrossbarParams& p, int32_t row_tile) {
    using Code = typename Kind::Code;
    Code* codes = shared_part<Code>(p.code_part);
    int64_t* sums = shared_part<int64_t>(p.code_sum_part);
    const int32_t begin = p.row_begin[row_tile], rows = p.row_begin[row_tile + 1] - begin;
    const int32_t pitch = p.row_pitch, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    for (int32_t v = warp; v < p.block_vectors; v += kWarps) {
        const int64_t vector = p.first_vector + int64_t{blockIdx.x} * p.block_vectors + v;
        const bool there = vector < p.geometry.vectors;
        const WindowPlace at = window_of(p.geometry, there ? vector : 0);
        int64_t sum = 0;
        for (int32_t r = lane; r < pitch; r += 32) {
            const bool real = there && r < rows;
            const Code stored = real ? gather<Code>(p, at, blockIdx.z, begin + r) : Code{0};
            for (int phase = 0; phase < p.read.phases; ++phase)
                codes[(phase * p.block_vectors + v) * pitch + r] =
                    real ? static_cast<Code>(stored_part(stored, p.read.phases, phase)) : Code{0};
            if (!real) continue;
            sum += signed_code(p, stored);
            if constexpr (kInspect)
                if (p.inspect.input && blockIdx.y == 0) {
                    const int64_t position =
                        blockIdx.z * (p.geometry.vectors - p.first_vector) + vector - p.first_vector;
                    p.inspect.input[position * p.cells.extents.rows + begin + r] = signed_code(p, stored);
                }
        }
        if (p.rule.per_code == 0) continue;
        for (int distance = 16; distance > 0; distance /= 2)
            sum += __shfl_down_sync(~0u, sum, static_cast<unsigned>(distance));
        if (lane == 0) sums[v] += sum;
    }
}

// --- cells

/// Four rows of one byte of a column, as one word of a plane.
__device__ uint32_t byte_column(const int16_t g[4], int shift) {
    uint32_t word = 0;
    for (int i = 0; i < 4; ++i) word |= (static_cast<uint32_t>(g[i]) >> shift & 0xffu) << (8 * i);
    return word;
}

/// Low and high bytes of one array's cells: [plane][column][row].
struct CellPlanes {
    std::byte* low;
    int64_t plane;  // bytes from the low to the high plane

    __device__ void store(int64_t at, const int16_t g[4]) const {
        *reinterpret_cast<uint32_t*>(low + at) = byte_column(g, 0);
        *reinterpret_cast<uint32_t*>(low + plane + at) = byte_column(g, 8);
    }
};

__device__ CellPlanes planes_of(const CrossbarParams& p, uint32_t part, int polarity) {
    const int64_t plane = int64_t{kChunkColumns} * p.row_pitch;
    return {shared_part<std::byte>(part) + 2 * plane * polarity, plane};
}

/// Samples one array of the block's columns into place `polarity` of shared memory: a thread takes four rows
/// of four columns, so that it writes whole words.
template <bool kNoisy>
__device__ void sample_array(const CrossbarParams& p, const ColumnChunk& chunk, int32_t row_tile,
                             int32_t slice, int32_t polarity, int place) {
    const int32_t begin = p.row_begin[row_tile], rows = p.row_begin[row_tile + 1] - begin;
    const CellPlanes cells = planes_of(p, p.cell_part, place);
    const CellPlanes variances = planes_of(p, p.variance_part, place);
    const int32_t row_quads = (rows + kDepth - 1) / kDepth * kDepth / 4;
    for (int32_t i = threadIdx.x; i < row_quads * kQuads; i += kBlockThreads) {
        const int32_t row = i / kQuads * 4, quad = i % kQuads, column = chunk.quad_column[quad];
        int16_t g[4][4] = {};  // [column][row]
        for (int r = 0; r < 4; ++r) {
            if (column < 0 || row + r >= rows) continue;
            const Cells4 four = sample4(p.cells, blockIdx.z, slice, polarity, begin + row + r, column);
            for (int c = 0; c < 4; ++c) g[c][r] = four.g[c];
        }
        for (int c = 0; c < 4; ++c) {
            const int64_t at = int64_t{quad * 4 + c} * p.row_pitch + row;
            cells.store(at, g[c]);
            if constexpr (kNoisy) {
                int16_t variance[4];
                for (int r = 0; r < 4; ++r) variance[r] = read_variance(g[c][r]);
                variances.store(at, variance);
            }
        }
    }
}

// --- products

/// The sums of one 16 x 8 tile that a lane holds, low and high plane.
struct PlaneSums {
    int32_t low[4], high[4];
};

/// Raw A fragments of 16 vectors by 32 rows, and the part of them that a step reads.
struct ByteFragment {
    uint32_t raw[4];

    __device__ void load(const std::byte* codes, int64_t pitch, int lane) {
        load_matrix4(row_fragment(codes, pitch, lane), raw);
    }
    /// The step's bits where they are: the product keeps their weight.
    __device__ void part(int step, int dac_bits, uint32_t a[4]) const {
        const uint32_t mask = (((1u << dac_bits) - 1) << (step * dac_bits) & 0xffu) * 0x01010101u;
        for (int i = 0; i < 4; ++i) a[i] = raw[i] & mask;
    }
};

/// Sums of 32-bit kinds: `steps` steps from `first_step` on of 16 vectors with 16 columns (two tiles), over
/// all rows.
template <int kSteps>
__device__ void multiply_bytes(const CrossbarParams& p, const std::byte* codes, const CellPlanes& cells,
                               int tile, int rows, int first_step, PlaneSums sums[kSteps][2]) {
    const int lane = threadIdx.x % 32;
    const std::byte* columns = cells.low + int64_t{8 * tile} * p.row_pitch;
    for (int k = 0; k < rows; k += kDepth) {
        ByteFragment x;
        uint32_t low[4], high[4];
        x.load(codes + k, p.row_pitch, lane);
        load_matrix4(column_fragment(columns + k, p.row_pitch, lane), low);
        load_matrix4(column_fragment(columns + cells.plane + k, p.row_pitch, lane), high);
        // Unrolled, so that sums stay in registers: no step ends the loop, those past the last do nothing.
        MHO_UNROLL
        for (int t = 0; t < kSteps; ++t) {
            if (first_step + t >= p.read.steps) continue;
            uint32_t a[4];
            x.part(first_step + t, p.read.dac_bits, a);
            for (int j = 0; j < 2; ++j) {
                multiply_tile(sums[t][j].low, a, low + 2 * j);
                multiply_tile(sums[t][j].high, a, high + 2 * j);
            }
        }
    }
}

/// The same for one step of 16-bit codes. `square`: 0 the part itself, 1 and 2 the low and high byte of its
/// square.
__device__ void multiply_wide(const CrossbarParams& p, const std::byte* codes, const CellPlanes& cells,
                              int tile, int rows, int step, int square, PlaneSums sums[2]) {
    const int lane = threadIdx.x % 32;
    const std::byte* columns = cells.low + int64_t{8 * tile} * p.row_pitch;
    const uint16_t* x = reinterpret_cast<const uint16_t*>(codes);
    for (int k = 0; k < rows; k += kDepth) {
        uint32_t low[4], high[4], a[4];
        load_matrix4(column_fragment(columns + k, p.row_pitch, lane), low);
        load_matrix4(column_fragment(columns + cells.plane + k, p.row_pitch, lane), high);
        for (int i = 0; i < 4; ++i) {
            const uint16_t* four =
                x + (lane / 4 + 8 * (i % 2)) * p.row_pitch + k + 16 * (i / 2) + 4 * (lane % 4);
            a[i] = 0;
            for (int b = 0; b < 4; ++b) {
                uint32_t part = static_cast<uint32_t>(step_part(four[b], step, p.read.dac_bits));
                if (square > 0) part = part * part >> (square == 2 ? 8 : 0) & 0xffu;
                a[i] |= part << (8 * b);
            }
        }
        for (int j = 0; j < 2; ++j) {
            multiply_tile(sums[j].low, a, low + 2 * j);
            multiply_tile(sums[j].high, a, high + 2 * j);
        }
    }
}

/// 256 high + low, after the weight 2^shift that every product kept is taken off: exact, each plane has it.
template <class Sum>
__device__ Sum joined_planes(const PlaneSums& s, int i, int shift) {
    return static_cast<Sum>(s.high[i] >> shift) * 256 + static_cast<Sum>(s.low[i] >> shift);
}

// --- one lane's reads

/// What a lane holds of 16 vectors by 16 columns: element i of tile j is vector i/2 at column [j][i mod 2].
struct LanePlaces {
    int64_t vector[2];     // in the launch's numbering
    int32_t column[2][2];  // of the layer; -1: none
    int32_t slot[2];       // in the chunk, of column [j][0]
    bool vector_there[2];

    __device__ LanePlaces(const CrossbarParams& p, const ColumnChunk& chunk, int32_t first_vector, int tile) {
        const int lane = threadIdx.x % 32;
        for (int h = 0; h < 2; ++h) {
            vector[h] =
                p.first_vector + int64_t{blockIdx.x} * p.block_vectors + first_vector + lane / 4 + 8 * h;
            vector_there[h] = vector[h] < p.geometry.vectors;
        }
        for (int j = 0; j < 2; ++j) {
            slot[j] = 8 * (tile + j) + 2 * (lane % 4);
            const int32_t quad = chunk.quad_column[slot[j] / 4];
            for (int i = 0; i < 2; ++i) {
                const int32_t c = quad + slot[j] % 4 + i;
                column[j][i] = quad >= 0 && c < p.cells.columns ? c : -1;
            }
        }
    }
    __device__ bool there(int j, int i) const { return column[j][i % 2] >= 0 && vector_there[i / 2]; }
};

/// One conversion of a layer, and which read of it.
struct Conversion {
    int32_t row_tile, slice, polarity;
    int read;  // phase times steps, plus the step
};

__device__ uint64_t converter_of(const CrossbarParams& p, const Conversion& c, int32_t column) {
    return converter_element(p.cells.extents, blockIdx.z, c.row_tile, c.slice, c.polarity, column);
}

/// The draws of two neighbouring columns, which share a block of random words: the first column is even.
__device__ Normal2 draw_pair(const CrossbarParams& p, Domain domain, const Conversion& c, int32_t polarity,
                             int64_t vector, int32_t column) {
    const uint64_t element = read_element(p.cells.extents, p.first_place + static_cast<uint64_t>(vector),
                                          blockIdx.z, c.row_tile, c.read, c.slice, polarity, column);
    const Words4 w = philox_block({p.cells.seed, p.cells.chip, domain, p.cells.layer}, element / 4);
    const bool upper = element % 4 >= 2;
    return normal_pair(upper ? w.word[2] : w.word[0], upper ? w.word[3] : w.word[1]);
}

/// The polarities that one conversion subtracts.
__device__ int polarities_of_conversion(const CrossbarParams& p) {
    return p.polarities == 2 && p.conversions == 1 ? 2 : 1;
}

/// Adds read noise to the sums of one read and polarity.
template <class Sum>
__device__ void add_noise(const CrossbarParams& p, const Conversion& c, int32_t polarity,
                          const LanePlaces& at, const Sum variance[2][4], Sum sums[2][4]) {
    for (int j = 0; j < 2; ++j)
        for (int h = 0; h < 2; ++h) {
            if (!at.there(j, 2 * h)) continue;
            const Normal2 n = draw_pair(p, Domain::read_noise, c, polarity, at.vector[h], at.column[j][0]);
            sums[j][2 * h] +=
                static_cast<Sum>(read_noise(static_cast<float>(variance[j][2 * h]), p.read_noise, n.first));
            sums[j][2 * h + 1] += static_cast<Sum>(
                read_noise(static_cast<float>(variance[j][2 * h + 1]), p.read_noise, n.second));
        }
}

/// Column sums of 16 vectors by 16 columns for up to Kind::kSteps reads, exact, noise included; with
/// subtraction before the ADC the difference of the polarities.
template <class Kind, bool kNoisy>
__device__ void sum_columns(const CrossbarParams& p, const Conversion& first, int32_t phase,
                            int32_t first_vector, int tile, const LanePlaces& at,
                            typename Kind::Sum sums[Kind::kSteps][2][4]) {
    using Sum = typename Kind::Sum;
    constexpr bool kBytes = Kind::kBytes;
    const int32_t rows = p.row_begin[first.row_tile + 1] - p.row_begin[first.row_tile];
    const std::byte* codes = shared_part<std::byte>(p.code_part) +
                             (int64_t{phase} * p.block_vectors + first_vector) * p.row_pitch *
                                 static_cast<int64_t>(sizeof(typename Kind::Code));
    const int first_step = first.read - phase * p.read.steps;
    for (int t = 0; t < Kind::kSteps; ++t)
        for (int j = 0; j < 2; ++j)
            for (int i = 0; i < 4; ++i) sums[t][j][i] = 0;
    for (int place = polarities_of_conversion(p) - 1; place >= 0; --place) {
        const CellPlanes cells = planes_of(p, p.cell_part, place);
        const CellPlanes variances = planes_of(p, p.variance_part, place);
        PlaneSums plane[Kind::kSteps][2] = {}, square[Kind::kSteps][2] = {}, high_square[2] = {};
        if constexpr (kBytes) {
            multiply_bytes<Kind::kSteps>(p, codes, cells, tile, rows, first_step, plane);
            if constexpr (kNoisy)
                multiply_bytes<Kind::kSteps>(p, codes, variances, tile, rows, first_step, square);
        } else {
            multiply_wide(p, codes, cells, tile, rows, first_step, 0, plane[0]);
            if constexpr (kNoisy) {
                multiply_wide(p, codes, variances, tile, rows, first_step, 1, square[0]);
                multiply_wide(p, codes, variances, tile, rows, first_step, 2, high_square);
            }
        }
        MHO_UNROLL
        for (int t = 0; t < Kind::kSteps; ++t) {
            if (first_step + t >= p.read.steps) continue;
            const int shift = kBytes ? (first_step + t) * p.read.dac_bits : 0;
            Sum now[2][4], variance[2][4];
            for (int j = 0; j < 2; ++j)
                for (int i = 0; i < 4; ++i) {
                    now[j][i] = joined_planes<Sum>(plane[t][j], i, shift);
                    if constexpr (!kNoisy) continue;
                    variance[j][i] = joined_planes<Sum>(square[t][j], i, shift);  // a bit is its own square
                    if constexpr (!kBytes) variance[j][i] += 256 * joined_planes<Sum>(high_square[j], i, 0);
                }
            if constexpr (kNoisy) {
                Conversion c = first;
                c.read += t;
                add_noise(p, c, polarities_of_conversion(p) == 2 ? place : first.polarity, at, variance, now);
            }
            for (int j = 0; j < 2; ++j)
                for (int i = 0; i < 4; ++i) sums[t][j][i] = now[j][i] - sums[t][j][i];
        }
    }
}

// --- conversion

/// The converters of a lane's columns; where they are ideal, none.
struct LaneConverters {
    Converter of[2][2];

    __device__ LaneConverters(const CrossbarParams& p, const Conversion& c, const LanePlaces& at) : of{} {
        if (p.ideal_converters) return;
        for (int j = 0; j < 2; ++j)
            for (int i = 0; i < 2; ++i)
                if (at.column[j][i] >= 0) {
                    const uint64_t element = converter_of(p, c, at.column[j][i]);
                    of[j][i] = {p.converter_a[element], p.converter_b[element]};
                }
    }
};

/// Column sums of one read become codes.
template <class Sum>
__device__ void convert(const CrossbarParams& p, const Conversion& c, const LanePlaces& at,
                        const LaneConverters& converters, const Sum sums[2][4], int64_t codes[2][4]) {
    for (int j = 0; j < 2; ++j)
        for (int h = 0; h < 2; ++h) {
            Normal2 n{0, 0};
            if (p.adc_noise > 0 && at.there(j, 2 * h))
                n = draw_pair(p, Domain::converter_noise, c, c.polarity, at.vector[h], at.column[j][0]);
            for (int i = 0; i < 2; ++i) {
                const Sum sum = sums[j][2 * h + i];
                const float v = conversion(converters.of[j][i], static_cast<float>(sum), p.adc_noise,
                                           i == 0 ? n.first : n.second);
                codes[j][2 * h + i] =
                    p.ideal_converters ? int64_t{sum} : static_cast<int64_t>(cut_code(v, p.largest_code));
            }
        }
}

/// Hands sums and codes of one read to whoever looks inside.
template <class Sum>
__device__ void inspect(const CrossbarParams& p, const ColumnChunk& chunk, const Conversion& c,
                        const LanePlaces& at, const Sum sums[2][4], const int64_t codes[2][4]) {
    const Inspection& wanted = p.inspect;
    const int64_t positions = p.geometry.vectors - p.first_vector;
    const int64_t arrays = int64_t{p.row_tiles} * p.slices * p.conversions;
    const int64_t array = (int64_t{c.row_tile} * p.slices + c.slice) * p.conversions + c.polarity;
    for (int j = 0; j < 2; ++j)
        for (int i = 0; i < 4; ++i) {
            if (!at.there(j, i) || !(chunk.owned >> (at.slot[j] + i % 2) & 1)) continue;
            const int32_t column = at.column[j][i % 2];
            if (wanted.histogram) {
                const int64_t bin = (sums[j][i] - wanted.first) / wanted.width;
                const int64_t range = wanted.range_of[converter_of(p, c, column)];
                atomicAdd(&wanted.histogram[range * wanted.bins + bin], 1ull);
                continue;
            }
            const int64_t read =
                (blockIdx.z * positions + at.vector[i / 2] - p.first_vector) * p.cells.extents.reads + c.read;
            const int64_t place = (read * arrays + array) * p.cells.columns + column;
            if (wanted.column_sum) wanted.column_sum[place] = sums[j][i];
            if (wanted.code) wanted.code[place] = codes[j][i];
        }
}

// --- joining

/// Joined codes of the block, [vector][column]: integers, or floats where ranges differ.
union Joined {
    int64_t sum;
    float z;
};

/// Takes in the reads of one conversion, joined over phases and steps.
__device__ void join(const CrossbarParams& p, const Conversion& c, const LanePlaces& at, int32_t first_vector,
                     const int64_t reads[2][4]) {
    const int64_t weight =
        (c.polarity == 0 ? 1 : -1) * (int64_t{1} << (p.slices == 1 ? 0 : c.slice * p.cell_bits));
    for (int j = 0; j < 2; ++j)
        for (int i = 0; i < 4; ++i) {
            if (!at.there(j, i)) continue;
            const int32_t vector = first_vector + static_cast<int32_t>(threadIdx.x % 32 / 4) + 8 * (i / 2);
            Joined& joined = shared_part<Joined>(p.joined_part)[vector * kChunkColumns + at.slot[j] + i % 2];
            if (p.rule.kind != CodeScale::separate) {
                joined.sum += weight * reads[j][i];
                continue;
            }
            const uint64_t element = converter_of(p, c, at.column[j][i % 2]);
            joined.z = add_array(joined.z, reads[j][i], p.array_scale[element], p.array_offset[element],
                                 p.rule.read_weight);
        }
}

/// All reads of one conversion for 16 vectors and 16 columns.
template <class Kind, bool kNoisy, bool kInspect>
__device__ void read_tile(const CrossbarParams& p, const ColumnChunk& chunk, Conversion c,
                          int32_t first_vector, int tile) {
    const LanePlaces at(p, chunk, first_vector, tile);
    const LaneConverters converters(p, c, at);
    int64_t joined[2][4] = {};
    for (int phase = 0; phase < p.read.phases; ++phase)
        for (int step = 0; step < p.read.steps; step += Kind::kSteps) {
            typename Kind::Sum sums[Kind::kSteps][2][4];
            c.read = phase * p.read.steps + step;
            sum_columns<Kind, kNoisy>(p, c, phase, first_vector, tile, at, sums);
            MHO_UNROLL
            for (int t = 0; t < Kind::kSteps; ++t) {
                if (step + t >= p.read.steps) continue;
                c.read = phase * p.read.steps + step + t;
                int64_t codes[2][4];
                convert(p, c, at, converters, sums[t], codes);
                if constexpr (kInspect) inspect(p, chunk, c, at, sums[t], codes);
                const int64_t weight = (phase == 0 ? 1 : -1) * (int64_t{1} << ((step + t) * p.read.dac_bits));
                for (int j = 0; j < 2; ++j)
                    for (int i = 0; i < 4; ++i) joined[j][i] += weight * codes[j][i];
            }
        }
    join(p, c, at, first_vector, joined);
}

/// One result for each vector and owned output of the block.
template <bool kInspect>
__device__ void write_outputs(const CrossbarParams& p, const ColumnChunk& chunk) {
    const Joined* all = shared_part<Joined>(p.joined_part);
    const int64_t* code_sums = shared_part<int64_t>(p.code_sum_part);
    for (int32_t e = threadIdx.x; e < p.block_vectors * kChunkColumns; e += kBlockThreads) {
        const int32_t v = e / kChunkColumns, slot = e % kChunkColumns, quad = chunk.quad_column[slot / 4];
        const int64_t vector = p.first_vector + int64_t{blockIdx.x} * p.block_vectors + v;
        const int32_t column = quad + slot % 4;
        if (quad < 0 || column >= p.outputs || vector >= p.geometry.vectors || !(chunk.owned >> slot & 1))
            continue;
        Joined joined = all[e];
        const bool integer = p.rule.kind != CodeScale::separate;
        if (p.rule.takes_reference) {
            const Joined& reference = all[v * kChunkColumns + chunk.reference_slot[slot]];
            if (integer)
                joined.sum -= reference.sum;
            else
                joined.z -= reference.z;
        }
        const int64_t output = int64_t{blockIdx.z} * p.outputs + column;
        const float y = output_of(p.rule, p.scales[output], integer ? joined.sum : 0,
                                  integer ? 0.0f : joined.z, p.rule.per_code == 0 ? 0 : code_sums[v]);
        p.y[(vector - p.first_vector) * p.groups * p.outputs + output] =
            p.has_activation ? activated_by(p.activation, y) : y;
        if constexpr (kInspect)
            if (p.inspect.joined && integer) {
                const int64_t positions = p.geometry.vectors - p.first_vector;
                p.inspect.joined[(blockIdx.z * positions + vector - p.first_vector) * p.outputs + column] =
                    joined.sum;
            }
    }
}

template <class Kind, bool kNoisy, bool kInspect>
__global__ void __launch_bounds__(kBlockThreads) crossbar_mvm_adc(CrossbarParams p) {
    const ColumnChunk& chunk = p.chunks[blockIdx.y];
    const int warp = threadIdx.x / 32;
    for (int32_t e = threadIdx.x; e < p.block_vectors * kChunkColumns; e += kBlockThreads)
        shared_part<Joined>(p.joined_part)[e].sum = 0;  // as a float 0 too
    for (int32_t v = threadIdx.x; v < p.block_vectors; v += kBlockThreads)
        shared_part<int64_t>(p.code_sum_part)[v] = 0;
    __syncthreads();
    for (int32_t row_tile = 0; row_tile < p.row_tiles; ++row_tile) {
        load_codes<Kind, kInspect>(p, row_tile);
        for (int32_t slice = 0; slice < p.slices; ++slice)
            for (int32_t conversion = 0; conversion < p.conversions; ++conversion) {
                for (int place = 0; place < polarities_of_conversion(p); ++place)
                    sample_array<kNoisy>(p, chunk, row_tile, slice, conversion + place, place);
                __syncthreads();
                for (int32_t v = kTileVectors * warp; v < p.block_vectors; v += kTileVectors * kWarps)
                    for (int tile = 0; tile < kChunkColumns / 8; tile += 2)
                        read_tile<Kind, kNoisy, kInspect>(p, chunk, {row_tile, slice, conversion, 0}, v,
                                                          tile);
                __syncthreads();
            }
    }
    if (p.inspect.histogram) return;
    write_outputs<kInspect>(p, chunk);
}

using Kernel = void (*)(CrossbarParams);

Kernel kernel_of(const CrossbarLaunch& l, bool inspects) {
    if (l.wide) {
        if (l.noisy)
            return inspects ? crossbar_mvm_adc<Wide, true, true> : crossbar_mvm_adc<Wide, true, false>;
        return inspects ? crossbar_mvm_adc<Wide, false, true> : crossbar_mvm_adc<Wide, false, false>;
    }
    if (l.noisy)
        return inspects ? crossbar_mvm_adc<Bytes<2>, true, true> : crossbar_mvm_adc<Bytes<2>, true, false>;
    return inspects ? crossbar_mvm_adc<Bytes<4>, false, true> : crossbar_mvm_adc<Bytes<4>, false, false>;
}

bool looks_inside(const Inspection& i) {
    return i.input || i.column_sum || i.code || i.joined || i.histogram;
}

}  // namespace

void read_crossbar(const CrossbarLaunch& l, CrossbarParams p, int64_t vectors, int64_t chunks,
                   cudaStream_t stream) {
    p.block_vectors = l.block_vectors;
    p.row_pitch = l.row_pitch;
    p.code_part = l.code_part;
    p.cell_part = l.cell_part;
    p.variance_part = l.variance_part;
    p.joined_part = l.joined_part;
    p.code_sum_part = l.code_sum_part;
    const dim3 grid(static_cast<unsigned>((vectors + l.block_vectors - 1) / l.block_vectors),
                    static_cast<unsigned>(chunks), static_cast<unsigned>(p.groups));
    launch("crossbar_mvm_adc", kernel_of(l, looks_inside(p.inspect)), {grid, kBlockThreads, l.shared}, stream,
           p);
}

}  // namespace mho::cuda
