// The integer product in every instruction set that this CPU has, against a plain sum.
#include "kernels/cpu/integer_product.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <vector>

namespace mho {
namespace {

using cpu::PairedMatrix;

/// Sums of rows [first, end) for every vector and column.
std::vector<int64_t> plain(const std::vector<int16_t>& x, int64_t vectors, int64_t x_pitch,
                           const PairedMatrix& m, int64_t first, int64_t end) {
    std::vector<int64_t> sums;
    for (int64_t v = 0; v < vectors; ++v)
        for (int64_t c = 0; c < m.columns(); ++c) {
            int64_t sum = 0;
            for (int64_t r = first; r < end; ++r)
                sum += int64_t{x[static_cast<size_t>(v * x_pitch + r)]} * m.at(r, c);
            sums.push_back(sum);
        }
    return sums;
}

TEST(IntegerProduct, every_instruction_set_gives_the_same_sums) {
    std::mt19937 random(3);
    for (const auto& [rows, columns, vectors] : std::initializer_list<std::array<int64_t, 3>>{
             {1, 1, 1}, {2, 64, 4}, {7, 65, 3}, {64, 130, 9}, {255, 10, 5}}) {
        PairedMatrix m(rows, columns);
        std::vector<int16_t> row(static_cast<size_t>(columns));
        for (int64_t r = 0; r < rows; ++r) {
            for (int16_t& g : row) g = static_cast<int16_t>(random() % 32768);
            m.set_row(r, row.data());
        }
        const int64_t x_pitch = rows + 2;
        std::vector<int16_t> x(static_cast<size_t>(vectors * x_pitch), 0);
        for (int64_t v = 0; v < vectors; ++v)
            for (int64_t r = 0; r < rows; ++r)
                x[static_cast<size_t>(v * x_pitch + r)] = static_cast<int16_t>(random() % 256);
        const std::vector<int64_t> want = plain(x, vectors, x_pitch, m, 0, rows);
        for (const cpu::IntegerProduct& product : cpu::integer_products()) {
            if (!product.available) continue;
            std::vector<int32_t> sums(static_cast<size_t>(vectors * m.pitch()));
            for (int64_t b = 0; b * PairedMatrix::kColumnBlock < columns; ++b)
                product.block(x.data(), vectors, x_pitch, m.block(b), m.pairs(),
                              sums.data() + b * PairedMatrix::kColumnBlock, m.pitch());
            for (int64_t v = 0; v < vectors; ++v)
                for (int64_t c = 0; c < columns; ++c)
                    ASSERT_EQ(sums[static_cast<size_t>(v * m.pitch() + c)],
                              want[static_cast<size_t>(v * columns + c)])
                        << product.name;
        }
    }
}

TEST(IntegerProduct, a_range_of_rows) {
    PairedMatrix m(10, 3);
    std::vector<int16_t> row{1, 10, 100};
    for (int64_t r = 0; r < 10; ++r) m.set_row(r, row.data());
    const std::vector<int16_t> x(12, 2);
    std::vector<int32_t> sums(static_cast<size_t>(m.pitch()));
    cpu::multiply(x.data(), 1, 12, m, 4, 8, sums.data());
    EXPECT_EQ(sums[0], 8);
    EXPECT_EQ(sums[2], 800);
    EXPECT_STREQ(cpu::integer_products().back().name, "plain C++");
    EXPECT_TRUE(cpu::integer_products().back().available);
}

}  // namespace
}  // namespace mho
