// Which kernel a layer gets, at the edges of what each can hold, and which layers get none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cuda/crossbar_mvm_adc.h"

namespace mho::cuda {
namespace {

constexpr size_t kShared = 227 * 1024;  // of a block on sm_90
constexpr CodePlan kUnsigned{.low = 0, .high = 255, .offset = 0, .phases = 1, .bits = 8, .steps = 8};

/// 16 outputs, differential, 8-bit inputs bit by bit, one array of `rows` rows.
CrossbarLayer layer_of(int64_t rows) {
    CrossbarLayer l;
    l.inputs = rows;
    l.outputs = 16;
    l.row_begin = {0, rows};
    l.column_begin = {0, 16};
    return l;
}

ReadKind kind_of(const CrossbarLayer& l, const ReadEffects& effects = {}) {
    return fit_crossbar(l, kUnsigned, effects, kShared).launch.value().kind;
}

TEST(CrossbarFit, sums_that_keep_the_weight_of_the_last_step_fit_31_bits) {
    EXPECT_EQ(kind_of(layer_of(512)), ReadKind::quiet_bytes);  // 512 x 128 x 32,767
    EXPECT_EQ(kind_of(layer_of(513)), ReadKind::bytes);
}

TEST(CrossbarFit, full_blocks_take_the_shared_memory_that_gpu_model_counts_with) {
    const CrossbarLaunch launch = fit_crossbar(layer_of(256), kUnsigned, {}, kShared).launch.value();
    EXPECT_EQ(launch.block.vectors, 256);
    EXPECT_EQ(launch.block.columns, 32);
    size_t bytes = launch.shared.bytes();
    for (const cuda_on_cpu::Guard& guard : launch.shared.guards()) bytes -= guard.size;  // not on a GPU
    EXPECT_EQ(bytes, 121856u);  // block_shared_bytes() of bench/gpu_model
}

TEST(CrossbarFit, joined_codes_fit_30_bits) {
    CrossbarLayer l = layer_of(64);
    l.adc.bits = 21;  // two polarities of 255 times 2^21 codes
    EXPECT_EQ(kind_of(l), ReadKind::quiet_bytes);
    l.adc.bits = 22;
    EXPECT_EQ(kind_of(l), ReadKind::bytes);
}

TEST(CrossbarFit, all_that_joins_codes_counts) {
    // Of 255 x 2^bits codes, the largest that fit 2^30: 2 polarities leave 21 bits, and each doubling one
    // less.
    const auto most_bits = [](CrossbarLayer l, const CodePlan& codes) {
        int64_t most = 0;
        for (l.adc.bits = 1; l.adc.bits <= 24; ++l.adc.bits)
            if (fit_crossbar(l, codes, {}, kShared).launch.value().kind == ReadKind::quiet_bytes)
                most = l.adc.bits;
        return most;
    };
    const CrossbarLayer plain = layer_of(64);
    EXPECT_EQ(most_bits(plain, kUnsigned), 21);
    CrossbarLayer changed = plain;
    changed.crossbar.scheme = Scheme::offset;
    EXPECT_EQ(most_bits(changed, kUnsigned), 22);
    changed = plain;
    changed.row_begin = {0, 16, 32, 48, 64};
    EXPECT_EQ(most_bits(changed, kUnsigned), 19);
    changed = plain;
    changed.grid.slices = {{.weight = 1}, {.weight = 4}, {.weight = 16}, {.weight = 64}};  // 85
    EXPECT_EQ(most_bits(changed, kUnsigned), 14);
    CodePlan phases = kUnsigned;  // 127 = 1 + 2 + ... + 64, twice
    phases.high = 127, phases.phases = 2, phases.steps = 7;
    EXPECT_EQ(most_bits(plain, phases), 21);
    phases.steps = 6;  // 63, twice
    EXPECT_EQ(most_bits(plain, phases), 22);
}

TEST(CrossbarFit, parts_of_several_bits_count_in_sums) {
    CodePlan two_steps = kUnsigned;
    two_steps.steps = 2;
    for (int64_t rows : {273, 274}) {
        CrossbarLayer m = layer_of(rows);
        m.crossbar.dac_bits = 4;  // 15 x 16 x 32,767 a row
        EXPECT_EQ(fit_crossbar(m, two_steps, {}, kShared).launch.value().kind,
                  rows == 273 ? ReadKind::quiet_bytes : ReadKind::bytes);
    }
}

TEST(CrossbarFit, anything_but_a_plain_converter_takes_another_kernel) {
    CrossbarLayer l = layer_of(64);
    EXPECT_EQ(kind_of(l, {.read_noise = true}), ReadKind::bytes);
    EXPECT_EQ(kind_of(l, {.ideal_converters = true}), ReadKind::bytes);
    EXPECT_EQ(kind_of(l, {.converter_noise = true}), ReadKind::bytes);
    for (const AdcDescription& d : kAdcTypes) {
        l.adc.type = d.type;
        EXPECT_EQ(kind_of(l), d.type == AdcType::uniform ? ReadKind::quiet_bytes : ReadKind::wide) << d.name;
    }
}

TEST(CrossbarFit, a_block_takes_fewer_vectors_where_arrays_are_larger) {
    int32_t before = 1 << 20;
    for (int64_t rows : {512, 1024, 4096}) {
        const CrossbarFit fit = fit_crossbar(layer_of(rows), kUnsigned, {}, kShared);
        ASSERT_TRUE(fit.launch) << fit.why_not;
        EXPECT_LT(fit.launch->block.vectors, before);
        EXPECT_LE(fit.launch->shared.bytes(), kShared);
        before = fit.launch->block.vectors;
    }
}

TEST(CrossbarFit, arrays_of_1024_rows_fit_with_all_effects) {
    constexpr size_t kSharedA100 = 163 * 1024;
    CrossbarLayer l = layer_of(1024);
    const CrossbarFit noisy = fit_crossbar(l, kUnsigned, {.read_noise = true}, kSharedA100);
    ASSERT_TRUE(noisy.launch) << noisy.why_not;
    EXPECT_EQ(noisy.launch->block.columns, 16);  // 64 vectors by 16 columns, not 16 by 32
    EXPECT_EQ(noisy.launch->block.vectors, 64);
    l.crossbar.subtract = Subtract::analog;  // both polarities at once,
    l.device.read_noise = 0.01;              // and their variances
    for (const size_t shared : {kSharedA100, kShared}) {
        const CrossbarFit fit = fit_crossbar(l, kUnsigned, {.read_noise = true}, shared);
        ASSERT_TRUE(fit.launch) << fit.why_not;
        EXPECT_EQ(fit.launch->block.columns, 16);
    }
    CodePlan wide = kUnsigned;  // 16-bit codes of both signs
    wide.high = 32767, wide.low = -32767, wide.phases = 2;
    EXPECT_TRUE(fit_crossbar(l, wide, {.read_noise = true}, kShared).launch);
}

TEST(CrossbarFit, chunks_hold_every_column_once_and_its_reference) {
    CrossbarLayer l = layer_of(64);
    l.crossbar.scheme = Scheme::offset;
    l.crossbar.reference = Reference::column;
    l.outputs = 45;
    l.column_begin = {0, 1, 2, 3, 7, 30, 45};  // four neighbours with four references
    for (int columns : {16, 32}) {
        std::vector<int> owners(static_cast<size_t>(l.columns()));
        for (const ColumnChunk& chunk : column_chunks(l, columns))
            for (int slot = 0; slot < columns; ++slot) {
                if (!(chunk.owned >> slot & 1)) continue;
                const int64_t column = chunk.quad_column[slot / 4] + slot % 4;
                ++owners[static_cast<size_t>(column)];
                if (column >= l.outputs) continue;
                const int other = chunk.reference_slot[slot];
                ASSERT_GE(other, 0);
                EXPECT_EQ(chunk.quad_column[other / 4] + other % 4, l.outputs + l.column_tile_of(column));
            }
        EXPECT_THAT(owners, ::testing::Each(1));
    }
}

TEST(CrossbarFit, arrays_beyond_shared_memory_are_refused_with_the_way_out) {
    const CrossbarFit fit = fit_crossbar(layer_of(8192), kUnsigned, {}, kShared);
    EXPECT_FALSE(fit.launch);
    EXPECT_NE(fit.why_not.find("arrays of 8192 rows"), std::string::npos) << fit.why_not;
    EXPECT_NE(fit.why_not.find("crossbar.rows"), std::string::npos) << fit.why_not;
}

}  // namespace
}  // namespace mho::cuda
