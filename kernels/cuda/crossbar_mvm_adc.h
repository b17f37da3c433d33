// kernels/cuda/crossbar_mvm_adc.h - reading one crossbar layer on one chip in one kernel: a block samples the
// cells of 16 or 32 columns, array by array, into shared memory, keeps them for all of its input vectors,
// multiplies on int8 tensor cores, adds read noise, converts in registers, and joins the codes to outputs.
// Sampled conductances never reach device memory. docs/physics.md section 4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/crossbar/adc.h"
#include "kernels/crossbar/joining.h"
#include "kernels/cuda/activate.h"
#include "kernels/cuda/cell_sampler.h"
#include "kernels/cuda/shared_layout.h"
#include "kernels/steps/ops.h"

namespace mho::cuda {

inline constexpr int kMostColumns = 32;  ///< that a block reads: so many, or half of them
inline constexpr int kMostQuads = kMostColumns / 4;
inline constexpr int kTileVectors = 16;  ///< of a warp's tensor-core product
inline constexpr int kBlockThreads = 256;
inline constexpr int kWarps = kBlockThreads / 32;
inline constexpr int kMostSlices = 16;  ///< 16-bit weights in 1-bit cells, with `offset`
inline constexpr int kDepth = 32;       ///< rows of one tensor-core product

/// Which columns a block reads: groups of four neighbours, so that each is one block of random words; with a
/// reference column, the references of these columns are among them.
struct ColumnChunk {
    int32_t quad_column[kMostQuads];      ///< first column of each group of four; -1: none
    int8_t reference_slot[kMostColumns];  ///< place in the chunk of a column's reference; -1: none
    uint32_t owned;                       ///< bit a place: this chunk reports that column, no other does
};
std::vector<ColumnChunk> column_chunks(const CrossbarLayer& layer, int chunk_columns);

/// Where one row of the weight matrix lies in the input, relative to where its window begins.
struct RowTap {
    int32_t offset;  ///< in elements, for a group's first channel
    int16_t depth, height, width;
};

/// The input vectors: windows of a channels-last image of codes, or the rows of a matrix.
struct VectorGeometry {
    const RowTap* taps = nullptr;  ///< of the K inputs
    int32_t in_depth = 1, in_height = 1, in_width = 1, channels = 0, group_channels = 0;
    int32_t out_depth = 1, out_height = 1, out_width = 1;
    int32_t stride[3] = {1, 1, 1}, pad[3] = {0, 0, 0};
    int64_t vectors = 0;
};

/// How codes are read.
struct ReadPlan {
    int phases = 1, steps = 1, dac_bits = 1;
    int32_t code_offset = 0;  ///< added to signed codes that are shifted
    int32_t bias_drive = 0;   ///< code of every bias row
    float part_unit = 1;      ///< 2^-dac_bits
};

/// What a block holds in shared memory: offsets of the parts.
struct BlockMemory {
    int32_t vectors = 0;     ///< input vectors a block
    int32_t columns = 0;     ///< columns a block: of its chunk
    int32_t row_pitch = 0;   ///< from one column's cells, or one vector's codes, to the next
    uint32_t codes = 0;      ///< [phase][vector][row]
    uint32_t cells = 0;      ///< [polarity][plane][column][row], bytes
    uint32_t variances = 0;  ///< of the read noise, as cells
    uint32_t joined = 0;     ///< [vector][column]
    uint32_t code_sums = 0;  ///< [vector], signed codes over all rows
};

/// What a look inside wants; null: nothing of it.
struct Inspection {
    int32_t* input = nullptr;       ///< signed codes: [group][position][row]
    int64_t* column_sum = nullptr;  ///< axes as CrossbarTrace, positions from the first vector on
    int64_t* code = nullptr;
    int64_t* joined = nullptr;
    /// Histograms of the column sums without noise, then nothing else: [range][bin].
    unsigned long long* histogram = nullptr;
    const int32_t* range_of = nullptr;  ///< range index of every converter element
    int64_t first = 0, width = 1, bins = 0;
};

/// Everything that the kernel needs, plain.
struct CrossbarParams {
    CellSampler cells;
    VectorGeometry geometry;
    ReadPlan read;
    int32_t inputs = 0, outputs = 0, groups = 1;
    int32_t row_tiles = 0, slices = 1, polarities = 1, conversions = 1;
    int32_t slice_weight[kMostSlices] = {};  ///< of the codes of each slice in joined ones
    const int32_t* row_begin = nullptr;      ///< row_tiles + 1
    const ColumnChunk* chunks = nullptr;
    const void* codes = nullptr;      ///< of the whole input: bytes, or 16 bits where `wide`
    const int64_t* images = nullptr;  ///< of the batch, their indices in the split: they key the noise;
                                      ///< null: the vectors are no image's
    int64_t positions = 1;            ///< vectors that one image makes
    int64_t first_vector = 0;         ///< read vectors from here on
    // Converters, in converter order.
    AdcModel adc;
    Converters converters;
    bool ideal_converters = false;
    int32_t largest_code = 0;
    float adc_noise = 0, read_noise = 0;  ///< read_noise: factor, 0 for none
    // Joining.
    JoiningRule rule;
    const OutputScale* scales = nullptr;                          ///< of each group and output
    const float *array_scale = nullptr, *array_offset = nullptr;  ///< in converter order, where ranges differ
    Epilogue epilogue;
    float* y = nullptr;  ///< vectors x groups x outputs
    Inspection inspect;
    BlockMemory block;
};

/// What stands between exact sums and codes.
struct ReadEffects {
    bool read_noise = false, ideal_converters = false, converter_noise = false;
};

/// What numbers a kernel takes (crossbar_kinds.h).
enum class ReadKind { bytes, quiet_bytes, wide };

/// Which of the kernels fits, and its shared memory.
struct CrossbarLaunch {
    ReadKind kind = ReadKind::bytes;
    bool noisy = false;
    SharedLayout shared;
    BlockMemory block;
};

/// The launch for one layer on a GPU that gives a block `shared_bytes`; or why there is none, with the way
/// out.
struct CrossbarFit {
    std::optional<CrossbarLaunch> launch;
    std::string why_not;
};
CrossbarFit fit_crossbar(const CrossbarLayer& layer, const CodePlan& codes, const ReadEffects& effects,
                         size_t shared_bytes);

/// Puts the kernel on a stream, for `vectors` input vectors and `chunks` of params.chunks, each of
/// launch.block.columns.
void read_crossbar(const CrossbarLaunch& launch, CrossbarParams params, int64_t vectors, int64_t chunks,
                   cudaStream_t stream);

}  // namespace mho::cuda
