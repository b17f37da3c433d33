// Which columns a block reads, and whether and how a layer fits the kernel's shared memory.
#include <algorithm>
#include <cmath>

#include "kernels/cuda/crossbar_kinds.h"
#include "kernels/cuda/crossbar_mvm_adc.h"

namespace mho::cuda {
namespace {

constexpr int32_t kMostBlockVectors = 256;  // more would leave too few blocks for the GPU
constexpr int32_t kFewVectors = 64;

int64_t round_up(int64_t value, int64_t to) { return (value + to - 1) / to * to; }

/// Bytes hold every code and every sum fits 32 bits with room for noise; where there is read noise, parts are
/// bits; converters are uniform.
bool fits_bytes(const CrossbarLayer& l, const CodePlan& codes) {
    const int64_t largest_stored =
        codes.phases == 2 ? 2 * int64_t{codes.high} + 1 : int64_t{codes.high} + codes.offset;
    const bool bits = l.crossbar.dac_bits == 1 || l.device.read_noise == 0;
    return largest_stored <= 255 && bits && l.adc.type == AdcType::uniform &&
           l.largest_row_tile() * l.largest_part() * 32767 < int64_t{1} << 30;
}

/// Of layers in bytes: sums that keep their step's weight fit 32 bits, and so do all codes joined.
bool fits_quiet(const CrossbarLayer& l, const CodePlan& codes) {
    const int64_t last_weight = int64_t{1} << (codes.steps - 1) * l.crossbar.dac_bits;
    const int64_t read_weights = phase_weight(codes, l.crossbar.dac_bits);
    int64_t array_weights = 0;
    for (int s = 0; s < l.slices(); ++s) array_weights += l.slice(s).weight * l.conversions();
    const double largest_joined =
        std::ldexp(static_cast<double>(read_weights * codes.phases * array_weights * l.row_tiles()),
                   static_cast<int>(l.adc.bits));
    return l.largest_row_tile() * l.largest_part() * last_weight * 32767 < int64_t{1} << 31 &&
           largest_joined < std::ldexp(1.0, 30);  // a reference column's are taken off
}

ReadKind kind_of(const CrossbarLayer& l, const CodePlan& codes, const ReadEffects& e) {
    if (!fits_bytes(l, codes)) return ReadKind::wide;
    const bool quiet = !e.read_noise && !e.ideal_converters && !e.converter_noise && fits_quiet(l, codes);
    return quiet ? ReadKind::quiet_bytes : ReadKind::bytes;
}

CrossbarLaunch lay_out(const CrossbarLayer& l, const CodePlan& codes, const ReadEffects& effects,
                       int32_t block_vectors, int32_t block_columns) {
    CrossbarLaunch launch;
    launch.kind = kind_of(l, codes, effects);
    launch.noisy = effects.read_noise;
    launch.block.vectors = block_vectors;
    launch.block.columns = block_columns;
    // 16 bytes past a multiple of 32: rows of a fragment lie in different banks.
    launch.block.row_pitch = static_cast<int32_t>(round_up(l.largest_row_tile(), 32) + 16);
    const int64_t together = l.subtracts_before_adc() ? 2 : 1;
    const int64_t planes = 2 * together * block_columns * launch.block.row_pitch;
    SharedLayout& s = launch.shared;
    launch.block.codes = s.add<std::byte>(codes.phases * block_vectors * int64_t{launch.block.row_pitch} *
                                          (launch.kind == ReadKind::wide ? 2 : 1));
    launch.block.cells = s.add<std::byte>(planes);
    launch.block.variances = launch.noisy ? s.add<std::byte>(planes) : 0;
    const int64_t sums = int64_t{block_vectors} * block_columns;
    launch.block.joined = launch.kind == ReadKind::quiet_bytes ? s.add<Joined<QuietBytes>>(sums)
                                                               : s.add<Joined<WideCodes>>(sums);
    launch.block.code_sums = s.add<int64_t>(block_vectors);
    return launch;
}

/// Fills chunks with groups of four columns and the groups that hold their references.
class ChunkMaker {
  public:
    ChunkMaker(const CrossbarLayer& layer, int columns)
        : l_(layer),
          quads_(columns / 4),
          columns_(columns),
          claimed_(static_cast<size_t>(layer.columns()), false) {}

    std::vector<ColumnChunk> make() {
        begin();
        for (int64_t quad = 0; quad < l_.pitch(); quad += 4)
            if (!take(quad)) {
                chunks_.push_back(chunk_);
                begin();
                take(quad);
            }
        chunks_.push_back(chunk_);
        for (ColumnChunk& chunk : chunks_) {
            refer(chunk);
            claim(chunk);
        }
        return chunks_;
    }

  private:
    void begin() {
        std::fill_n(chunk_.quad_column, kMostQuads, -1);
        std::fill_n(chunk_.reference_slot, kMostColumns, int8_t{-1});
        chunk_.owned = 0;
        used_ = 0;
    }

    /// The groups that columns quad .. quad + 3 need: their own and those of their references.
    std::vector<int32_t> needed(int64_t quad) const {
        std::vector<int32_t> all{static_cast<int32_t>(quad)};
        for (int64_t c = quad; l_.has_reference_column() && c < std::min(quad + 4, l_.outputs); ++c)
            all.push_back(static_cast<int32_t>(l_.reference_of(c) / 4 * 4));
        return all;
    }

    bool take(int64_t quad) {
        ColumnChunk with = chunk_;
        int used = used_;
        for (int32_t wanted : needed(quad)) {
            if (std::find(with.quad_column, with.quad_column + used, wanted) != with.quad_column + used)
                continue;
            if (used == quads_) return false;
            with.quad_column[used++] = wanted;
        }
        chunk_ = with;
        used_ = used;
        return true;
    }

    /// A column is the first chunk's that holds it together with its reference.
    void claim(ColumnChunk& chunk) {
        for (int slot = 0; slot < columns_; ++slot) {
            const int64_t quad = chunk.quad_column[slot / 4], column = quad + slot % 4;
            if (quad < 0 || column >= l_.columns() || claimed_[static_cast<size_t>(column)]) continue;
            if (l_.has_reference_column() && column < l_.outputs && chunk.reference_slot[slot] < 0) continue;
            claimed_[static_cast<size_t>(column)] = true;
            chunk.owned |= 1u << slot;
        }
    }

    void refer(ColumnChunk& chunk) const {
        for (int slot = 0; slot < columns_; ++slot) {
            const int64_t quad = chunk.quad_column[slot / 4], column = quad + slot % 4;
            if (!l_.has_reference_column() || quad < 0 || column >= l_.outputs) continue;
            for (int other = 0; other < columns_; ++other)
                if (chunk.quad_column[other / 4] >= 0 &&
                    chunk.quad_column[other / 4] + other % 4 == l_.reference_of(column))
                    chunk.reference_slot[slot] = static_cast<int8_t>(other);
        }
    }

    const CrossbarLayer& l_;
    int quads_, columns_;
    ColumnChunk chunk_{};
    int used_ = 0;
    std::vector<ColumnChunk> chunks_;
    std::vector<bool> claimed_;
};

}  // namespace

std::vector<ColumnChunk> column_chunks(const CrossbarLayer& layer, int chunk_columns) {
    return ChunkMaker(layer, chunk_columns).make();
}

CrossbarFit fit_crossbar(const CrossbarLayer& layer, const CodePlan& codes, const ReadEffects& effects,
                         size_t shared_bytes) {
    // Half the columns only where all of them leave few vectors: those share what is sampled, columns share
    // inputs.
    for (const auto& [columns, fewest] :
         {std::pair(kMostColumns, kFewVectors), std::pair(kMostColumns / 2, kTileVectors)})
        for (int32_t vectors = kMostBlockVectors; vectors >= fewest; vectors /= 2) {
            CrossbarLaunch launch = lay_out(layer, codes, effects, vectors, columns);
            if (launch.shared.bytes() <= shared_bytes) return {std::move(launch), ""};
        }
    const size_t needed = lay_out(layer, codes, effects, kTileVectors, kMostColumns / 2).shared.bytes();
    return {std::nullopt,
            "arrays of " + std::to_string(layer.largest_row_tile()) + " rows need " +
                std::to_string(needed / 1024 + 1) + " KiB of shared memory, and a block of this GPU has " +
                std::to_string(shared_bytes / 1024) + ": use fewer crossbar.rows, or --backend cpu"};
}

}  // namespace mho::cuda
