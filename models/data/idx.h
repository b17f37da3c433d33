// models/data/idx.h - the IDX format (MNIST's): a magic number, big-endian extents, unsigned bytes.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace mho {

/// The first items of an IDX array of unsigned bytes.
struct IdxArray {
    int64_t total = 0;             ///< items (extent of axis 0) that the whole file holds
    std::vector<int64_t> extents;  ///< as read: extents[0] <= total
    std::vector<uint8_t> values;   ///< row-major, product of extents
};

/// Reads the first `items` (0: all) of an IDX array whose number of axes is between `min_rank` and
/// `max_rank`; where it holds fewer, all are taken. `file` names it in errors. Throws InputError on a wrong
/// magic number, an element type other than unsigned byte, another number of axes, an extent of 0, or a
/// length that disagrees with the extents. `in` is a seekable binary stream; no more memory is asked for than
/// it is long.
IdxArray read_idx(std::istream& in, const std::string& file, int min_rank, int max_rank, int64_t items);

}  // namespace mho
