// models/data/idx.cc - reads IDX arrays: 0 0 type rank, then `rank` big-endian 32-bit extents, then the
// elements.
#include "models/data/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kernels/base/error.h"

namespace mho {
namespace {

constexpr uint8_t unsigned_byte = 0x08;  // the only element type that image sets use

uint32_t read_big_endian(std::istream& in, const std::string& file, const char* what) {
    std::array<unsigned char, 4> bytes{};
    if (!in.read(reinterpret_cast<char*>(bytes.data()), bytes.size()))
        throw InputError(
            fmt::format("{}: the file ends within its IDX header, before {}; download it again", file, what));
    return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

/// What elements of an IDX file's type are; nothing where there is no such type.
const char* element_type(uint32_t type) {
    switch (type) {
        case 0x08:
            return "unsigned bytes";
        case 0x09:
            return "signed bytes";
        case 0x0b:
            return "16-bit integers";
        case 0x0c:
            return "32-bit integers";
        case 0x0d:
            return "32-bit floating-point numbers";
        case 0x0e:
            return "64-bit floating-point numbers";
    }
    return nullptr;
}

/// Checks the magic number and returns the number of axes.
int checked_rank(uint32_t magic, const std::string& file, int min_rank, int max_rank) {
    if (magic >> 16 == 0x1f8b)
        throw InputError(fmt::format("{}: this file is still compressed; run gunzip on it", file));
    const uint32_t type = magic >> 8, rank = magic & 0xff;
    if (const char* name = element_type(type); name && type != unsigned_byte)
        throw InputError(fmt::format(
            "{}: an IDX file of {}; mho reads those of unsigned bytes: save the pixels as such, 0 to 255",
            file, name));
    if (type != unsigned_byte)
        throw InputError(
            fmt::format("{}: starts with the magic number 0x{:08x}; an IDX file of unsigned bytes starts "
                        "with 0x000008 and its number of axes, here 0x{:08x}",
                        file, magic, unsigned_byte << 8 | min_rank));
    if (static_cast<int>(rank) < min_rank || static_cast<int>(rank) > max_rank)
        throw InputError(fmt::format(
            "{}: an IDX array of {} axes (magic number 0x{:08x}); {} are needed here", file, rank, magic,
            min_rank == max_rank ? fmt::format("{}", min_rank)
                                 : fmt::format("{} to {}", min_rank, max_rank)));
    return static_cast<int>(rank);
}

/// Bytes from here to the end; the read position is kept.
int64_t bytes_left(std::istream& in) {
    const std::streamoff here = in.tellg();
    in.seekg(0, std::ios::end);
    const std::streamoff end = in.tellg();
    in.seekg(here);
    return end - here;
}

}  // namespace

IdxArray read_idx(std::istream& in, const std::string& file, int min_rank, int max_rank, int64_t items) {
    const int rank = checked_rank(read_big_endian(in, file, "its magic number"), file, min_rank, max_rank);
    IdxArray array;
    for (int axis = 0; axis < rank; ++axis) {
        const uint32_t extent = read_big_endian(in, file, "its extents");
        if (extent == 0) throw InputError(fmt::format("{}: the extent of axis {} is 0", file, axis));
        array.extents.push_back(extent);
    }
    const int64_t found = bytes_left(in);
    // Four extents of 32 bits can pass 64 bits: the product stops once it is past any file.
    int64_t item_size = 1;
    for (int axis = 1; axis < rank && item_size <= found; ++axis)
        item_size *= array.extents[static_cast<size_t>(axis)];
    array.total = array.extents[0];
    if (item_size > found || found / item_size != array.total || found % item_size != 0)
        throw InputError(
            fmt::format("{}: its header promises {} bytes of data (extents {}), but {} follow; the file is "
                        "truncated or damaged, download it again",
                        file,
                        item_size > found ? fmt::format("more than {}", found)
                                          : fmt::format("{}", item_size * array.total),
                        fmt::join(array.extents, " x "), found));
    if (items > 0) array.extents[0] = std::min(items, array.total);
    array.values.resize(static_cast<size_t>(array.extents[0] * item_size));
    if (!in.read(reinterpret_cast<char*>(array.values.data()),
                 static_cast<std::streamsize>(array.values.size())))
        throw InputError(fmt::format("{}: reading its data failed", file));
    return array;
}

}  // namespace mho
