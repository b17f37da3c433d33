// kernels/cpu/integer_product.h - exact products of small unsigned integers with conductances: int16 x int16
// -> int32, two rows an instruction (vpmaddwd, or vpdpwssd where there is VNNI), with what the CPU has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mho::cpu {

/// A matrix of rows x columns int16 in the order the product reads it: pairs of rows interleaved, columns in
/// blocks of kColumnBlock. Elements are >= 0.
class PairedMatrix {
  public:
    static constexpr int64_t kColumnBlock = 64;

    PairedMatrix() = default;
    PairedMatrix(int64_t rows, int64_t columns);

    int64_t rows() const { return rows_; }
    int64_t columns() const { return columns_; }
    /// Columns rounded up to whole blocks: the row pitch of a product's result.
    int64_t pitch() const { return blocks() * kColumnBlock; }
    int16_t at(int64_t row, int64_t column) const { return data_[place(row, column)]; }
    void set_row(int64_t row, const int16_t* values);  ///< columns() of them
    const int16_t* block(int64_t b) const { return data_.data() + b * pairs_ * kColumnBlock * 2; }
    int64_t pairs() const { return pairs_; }

  private:
    size_t place(int64_t row, int64_t column) const {
        return static_cast<size_t>(
            ((column / kColumnBlock * pairs_ + row / 2) * kColumnBlock + column % kColumnBlock) * 2 +
            row % 2);
    }
    int64_t blocks() const { return (columns_ + kColumnBlock - 1) / kColumnBlock; }

    int64_t rows_ = 0, columns_ = 0, pairs_ = 0;
    std::vector<int16_t> data_;
};

/// sums[v][c] = sum over rows [first_row, end_row) of x[v][row] m[row][c]; x: vectors x x_pitch, an odd last
/// row is followed by a zero; sums: vectors x m.pitch(). first_row is even. The caller keeps every sum below
/// 2^31.
void multiply(const int16_t* x, int64_t vectors, int64_t x_pitch, const PairedMatrix& m, int64_t first_row,
              int64_t end_row, int32_t* sums);

/// The same product in one instruction set.
struct IntegerProduct {
    const char* name;
    bool available;  ///< on this CPU
    /// One block of columns: m points at its first pair of rows.
    void (*block)(const int16_t* x, int64_t vectors, int64_t x_pitch, const int16_t* m, int64_t pairs,
                  int32_t* sums, int64_t pitch);
};

/// Best first; the first available one is what multiply() uses, the last always is. For tests and `mho info`.
std::span<const IntegerProduct> integer_products();

}  // namespace mho::cpu
