// Which kernel a layer gets, at the edges of what each can hold, and which layers get none.
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

TEST(CrossbarFit, joined_codes_fit_30_bits) {
    CrossbarLayer l = layer_of(64);
    l.adc.bits = 21;  // two polarities of 255 times 2^21 codes
    EXPECT_EQ(kind_of(l), ReadKind::quiet_bytes);
    l.adc.bits = 22;
    EXPECT_EQ(kind_of(l), ReadKind::bytes);
}

TEST(CrossbarFit, anything_but_a_plain_converter_takes_another_kernel) {
    const CrossbarLayer l = layer_of(64);
    EXPECT_EQ(kind_of(l, {.read_noise = true}), ReadKind::bytes);
    EXPECT_EQ(kind_of(l, {.ideal_converters = true}), ReadKind::bytes);
    EXPECT_EQ(kind_of(l, {.converter_noise = true}), ReadKind::bytes);
}

TEST(CrossbarFit, a_block_takes_fewer_vectors_where_arrays_are_larger) {
    int32_t before = 1 << 20;
    for (int64_t rows : {512, 1024, 2048}) {
        const CrossbarFit fit = fit_crossbar(layer_of(rows), kUnsigned, {}, kShared);
        ASSERT_TRUE(fit.launch) << fit.why_not;
        EXPECT_LT(fit.launch->block.vectors, before);
        EXPECT_LE(fit.launch->shared.bytes(), kShared);
        before = fit.launch->block.vectors;
    }
}

TEST(CrossbarFit, arrays_beyond_shared_memory_are_refused_with_the_way_out) {
    const CrossbarFit fit = fit_crossbar(layer_of(4096), kUnsigned, {}, kShared);
    EXPECT_FALSE(fit.launch);
    EXPECT_NE(fit.why_not.find("arrays of 4096 rows"), std::string::npos) << fit.why_not;
    EXPECT_NE(fit.why_not.find("crossbar.rows"), std::string::npos) << fit.why_not;
}

}  // namespace
}  // namespace mho::cuda
