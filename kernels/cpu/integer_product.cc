#include "kernels/cpu/integer_product.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>

namespace mho::cpu {
namespace {

constexpr int64_t kBlock = PairedMatrix::kColumnBlock;

/// One pair of rows of a vector, as both halves of an int32.
inline int32_t pair_at(const int16_t* x, int64_t pair) {
    int32_t both;
    std::memcpy(&both, x + 2 * pair, sizeof both);
    return both;
}

void plain_block(const int16_t* x, int64_t vectors, int64_t x_pitch, const int16_t* m, int64_t pairs,
                 int32_t* sums, int64_t pitch) {
    for (int64_t v = 0; v < vectors; ++v)
        for (int64_t c = 0; c < kBlock; ++c) {
            int32_t sum = 0;
            for (int64_t p = 0; p < pairs; ++p)
                for (int64_t i = 0; i < 2; ++i)
                    sum += x[v * x_pitch + 2 * p + i] * m[(p * kBlock + c) * 2 + i];
            sums[v * pitch + c] = sum;
        }
}

// Four vectors by a block of columns: 16 accumulators of 16 columns with AVX-512. Each instruction set has
// its own multiply-and-add of pairs.
#define MHO_AVX512_BLOCK(name, isa, MADD)                                                                   \
    template <int kVectors>                                                                                 \
    __attribute__((target(isa))) inline void name##_rows(                                                   \
        const int16_t* x, int64_t x_pitch, const int16_t* m, int64_t pairs, int32_t* sums, int64_t pitch) { \
        __m512i acc[kVectors][4];                                                                           \
        for (auto& row : acc)                                                                               \
            for (auto& a : row) a = _mm512_setzero_si512();                                                 \
        for (int64_t p = 0; p < pairs; ++p) {                                                               \
            __m512i b[4];                                                                                   \
            for (int j = 0; j < 4; ++j) b[j] = _mm512_loadu_si512(m + (p * kBlock + 16 * j) * 2);           \
            for (int v = 0; v < kVectors; ++v) {                                                            \
                const __m512i a = _mm512_set1_epi32(pair_at(x + v * x_pitch, p));                           \
                for (int j = 0; j < 4; ++j) acc[v][j] = MADD(acc[v][j], a, b[j]);                           \
            }                                                                                               \
        }                                                                                                   \
        for (int v = 0; v < kVectors; ++v)                                                                  \
            for (int j = 0; j < 4; ++j) _mm512_storeu_si512(sums + v * pitch + 16 * j, acc[v][j]);          \
    }                                                                                                       \
    __attribute__((target(isa))) void name##_block(const int16_t* x, int64_t vectors, int64_t x_pitch,      \
                                                   const int16_t* m, int64_t pairs, int32_t* sums,          \
                                                   int64_t pitch) {                                         \
        int64_t v = 0;                                                                                      \
        for (; v + 4 <= vectors; v += 4)                                                                    \
            name##_rows<4>(x + v * x_pitch, x_pitch, m, pairs, sums + v * pitch, pitch);                    \
        for (; v < vectors; ++v)                                                                            \
            name##_rows<1>(x + v * x_pitch, x_pitch, m, pairs, sums + v * pitch, pitch);                    \
    }

#define MHO_MADD_BW(acc, a, b) _mm512_add_epi32(acc, _mm512_madd_epi16(a, b))
#define MHO_MADD_VNNI(acc, a, b) _mm512_dpwssd_epi32(acc, a, b)
MHO_AVX512_BLOCK(avx512bw, "avx512f,avx512bw", MHO_MADD_BW)
MHO_AVX512_BLOCK(avx512vnni, "avx512f,avx512bw,avx512vnni", MHO_MADD_VNNI)

/// Two vectors by 16 columns at a time: what sixteen registers hold.
template <int kVectors>
__attribute__((target("avx2"))) inline void avx2_rows(const int16_t* x, int64_t x_pitch, const int16_t* m,
                                                      int64_t pairs, int32_t* sums, int64_t pitch) {
    for (int64_t c = 0; c < kBlock; c += 32) {
        __m256i acc[kVectors][4];
        for (auto& row : acc)
            for (auto& a : row) a = _mm256_setzero_si256();
        for (int64_t p = 0; p < pairs; ++p)
            for (int v = 0; v < kVectors; ++v) {
                const __m256i a = _mm256_set1_epi32(pair_at(x + v * x_pitch, p));
                for (int j = 0; j < 4; ++j) {
                    const void* at = m + (p * kBlock + c + 8 * j) * 2;
                    const __m256i b = _mm256_loadu_si256(static_cast<const __m256i*>(at));
                    acc[v][j] = _mm256_add_epi32(acc[v][j], _mm256_madd_epi16(a, b));
                }
            }
        for (int v = 0; v < kVectors; ++v)
            for (int j = 0; j < 4; ++j) {
                void* at = sums + v * pitch + c + 8 * j;
                _mm256_storeu_si256(static_cast<__m256i*>(at), acc[v][j]);
            }
    }
}

__attribute__((target("avx2"))) void avx2_block(const int16_t* x, int64_t vectors, int64_t x_pitch,
                                                const int16_t* m, int64_t pairs, int32_t* sums,
                                                int64_t pitch) {
    int64_t v = 0;
    for (; v + 2 <= vectors; v += 2)
        avx2_rows<2>(x + v * x_pitch, x_pitch, m, pairs, sums + v * pitch, pitch);
    for (; v < vectors; ++v) avx2_rows<1>(x + v * x_pitch, x_pitch, m, pairs, sums + v * pitch, pitch);
}

const IntegerProduct& best() {
    static const IntegerProduct& chosen = *std::find_if(integer_products().begin(), integer_products().end(),
                                                        [](const IntegerProduct& p) { return p.available; });
    return chosen;
}

}  // namespace

PairedMatrix::PairedMatrix(int64_t rows, int64_t columns)
    : rows_(rows), columns_(columns), pairs_((rows + 1) / 2) {
    data_.assign(static_cast<size_t>(pairs_ * pitch() * 2), 0);
}

void PairedMatrix::set_row(int64_t row, const int16_t* values) {
    for (int64_t c = 0; c < columns_; ++c) data_[place(row, c)] = values[c];
}

void multiply(const int16_t* x, int64_t vectors, int64_t x_pitch, const PairedMatrix& m, int64_t first_row,
              int64_t end_row, int32_t* sums) {
    const int64_t first = first_row / 2, pairs = (end_row + 1) / 2 - first;
    for (int64_t b = 0; b * kBlock < m.columns(); ++b)
        best().block(x + first_row, vectors, x_pitch, m.block(b) + first * kBlock * 2, pairs,
                     sums + b * kBlock, m.pitch());
}

std::span<const IntegerProduct> integer_products() {
    static const bool bw = __builtin_cpu_supports("avx512bw");
    static const IntegerProduct products[] = {
        {"AVX-512 VNNI", bw && __builtin_cpu_supports("avx512vnni"), avx512vnni_block},
        {"AVX-512 BW", bw, avx512bw_block},
        {"AVX2", __builtin_cpu_supports("avx2") != 0, avx2_block},
        {"plain C++", true, plain_block},
    };
    return products;
}

}  // namespace mho::cpu
