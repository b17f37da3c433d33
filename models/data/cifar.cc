// models/data/cifar.cc - reads the binary records of CIFAR-10 and CIFAR-100.
#include "models/data/cifar.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/base/error.h"

namespace mho {
namespace {

/// Number of records in the stream, which is left at its start.
int64_t count_records(std::istream& in, const std::string& file, const CifarFormat& format) {
    in.seekg(0, std::ios::end);
    const int64_t length = in.tellg();
    in.seekg(0);
    const int64_t record = format.record_bytes();
    if (length > 0 && length % record == 0) return length / record;
    throw InputError(
        fmt::format("{}: its length of {} bytes is no whole number of records of {} bytes ({} and 3 x 32 x "
                    "32 pixels); it is damaged or of another format: mho reads the \"binary version\" of "
                    "CIFAR-{}",
                    file, length, record,
                    format.label_bytes == 1 ? "a label" : "a coarse label, a fine label", format.classes));
}

}  // namespace

int64_t append_cifar(std::istream& in, const std::string& file, const CifarFormat& format, int64_t images,
                     std::vector<uint8_t>& pixels, std::vector<int32_t>& labels) {
    const int64_t held = count_records(in, file, format);
    const int64_t taken = images == 0 ? held : std::min(images, held);
    std::vector<uint8_t> record(static_cast<size_t>(format.record_bytes()));
    for (int64_t index = 0; index < taken; ++index) {
        if (!in.read(reinterpret_cast<char*>(record.data()), static_cast<std::streamsize>(record.size())))
            throw InputError(fmt::format("{}: reading record {} failed", file, index));
        const int label = record[static_cast<size_t>(format.label_bytes - 1)];
        if (label >= format.classes)
            throw InputError(
                fmt::format("{}: the label of record {} is {}; labels are 0 to {}, so this is no file of "
                            "CIFAR-{}, or it is damaged",
                            file, index, label, format.classes - 1, format.classes));
        labels.push_back(label);
        pixels.insert(pixels.end(), record.begin() + format.label_bytes, record.end());
    }
    return taken;
}

}  // namespace mho
