// models/data/cifar.h - the binary format of CIFAR-10 and CIFAR-100: records of label bytes and 3 x 32 x 32
// pixels.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace mho {

/// How one record looks.
struct CifarFormat {
    int label_bytes = 1;  ///< 1: the label; 2: coarse label, then the fine label, which is the one taken
    int classes = 10;

    int record_bytes() const { return label_bytes + 3 * 32 * 32; }
};

/// Appends the first `images` (0: all) records of one file to `pixels` (3 x 32 x 32 a record: red, green,
/// blue plane) and `labels`. `file` names it in errors. Throws InputError where the length is no whole,
/// positive number of records or a label is out of range. Where the file holds fewer than `images`, all are
/// taken. `in` is a seekable binary stream. Returns the number of records taken.
int64_t append_cifar(std::istream& in, const std::string& file, const CifarFormat& format, int64_t images,
                     std::vector<uint8_t>& pixels, std::vector<int32_t>& labels);

}  // namespace mho
