#include "host/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "kernels/error.h"

namespace mho {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr int64_t kMostElements = int64_t{1} << 40;

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
    throw InputError(fmt::format("{}: {}", name, why));
}

/// What stands after 'key': in the header's Python dictionary, up to the comma that ends it.
std::string entry(const std::string& header, const std::string& key, const std::string& name) {
    const size_t at = header.find("'" + key + "':");
    if (at == std::string::npos) refuse(name, "its header has no '" + key + "'");
    const size_t begin = header.find_first_not_of(' ', at + key.size() + 3);
    if (begin == std::string::npos) refuse(name, "its header breaks off after '" + key + "'");
    const size_t end = header[begin] == '(' ? header.find(')', begin) : header.find_first_of(",}", begin);
    if (end == std::string::npos) refuse(name, "its header breaks off after '" + key + "'");
    return header.substr(begin, end - begin);
}

std::vector<int64_t> parse_shape(const std::string& text, const std::string& name) {
    std::vector<int64_t> dims;
    int64_t total = 1;
    std::istringstream stream(text.substr(1));
    for (std::string item; std::getline(stream, item, ',');) {
        if (item.find_first_not_of(' ') == std::string::npos) continue;
        char* end = nullptr;
        const int64_t extent = std::strtoll(item.c_str(), &end, 10);
        if (extent < 0 || extent > kMostElements || *end != 0) refuse(name, "its shape is " + text + ")");
        dims.push_back(extent);
        if (extent > 0 && total > kMostElements / extent)
            refuse(name, "its shape " + text + ") is too large");
        total *= extent;
    }
    return dims;
}

template <class T>
std::vector<float> converted(const char* bytes, size_t count) {
    std::vector<float> values(count);
    for (size_t i = 0; i < count; ++i) {
        T x;
        std::memcpy(&x, bytes + i * sizeof(T), sizeof(T));
        values[i] = static_cast<float>(x);
    }
    return values;
}

struct ElementType {
    size_t size;
    std::vector<float> (*convert)(const char*, size_t);
};

const std::map<std::string, ElementType>& element_types() {
    static const std::map<std::string, ElementType> types{
        {"<f4", {4, converted<float>}},    {"<f8", {8, converted<double>}},
        {"<i8", {8, converted<int64_t>}},  {"<i4", {4, converted<int32_t>}},
        {"<i2", {2, converted<int16_t>}},  {"|i1", {1, converted<int8_t>}},
        {"<u8", {8, converted<uint64_t>}}, {"<u4", {4, converted<uint32_t>}},
        {"<u2", {2, converted<uint16_t>}}, {"|u1", {1, converted<uint8_t>}},
        {"|b1", {1, converted<uint8_t>}}};
    return types;
}

void write_bytes(const std::filesystem::path& file, const char* type, const std::vector<int64_t>& dims,
                 const void* data, size_t size) {
    const std::string shape = fmt::format("({}{})", fmt::join(dims, ", "), dims.size() == 1 ? "," : "");
    std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", type, shape);
    header.append(63 - (header.size() + 10) % 64, ' ');  // the data begins at a multiple of 64
    header += '\n';
    const uint16_t length = static_cast<uint16_t>(header.size());
    std::ofstream stream(file, std::ios::binary);
    stream.write(kMagic, 6).write("\x01\x00", 2);
    stream.put(static_cast<char>(length & 255)).put(static_cast<char>(length >> 8));
    stream << header;
    stream.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
    stream.close();
    if (!stream)
        throw RunError(
            fmt::format("{}: cannot be written: is the directory there, writable, and the disk not full?",
                        file.string()));
}

}  // namespace

Tensor parse_npy(const std::string& bytes, const std::string& name) {
    if (bytes.size() < 10 || bytes.compare(0, 6, kMagic) != 0) refuse(name, "is no .npy file");
    if (bytes[6] < 1 || bytes[6] > 3) refuse(name, "is of a version of .npy that is not known (1 to 3 are)");
    const bool wide = bytes[6] >= 2;
    const size_t start = wide ? 12 : 10;
    if (bytes.size() < start) refuse(name, "is truncated in its header");
    size_t length = 0;
    for (size_t i = wide ? 4 : 2; i-- > 0;) length = length << 8 | static_cast<unsigned char>(bytes[8 + i]);
    if (length > bytes.size() - start) refuse(name, "is truncated in its header");
    const std::string header = bytes.substr(start, length);
    std::string type = entry(header, "descr", name);
    std::erase(type, '\'');
    const auto known = element_types().find(type);
    if (known == element_types().end())
        refuse(
            name,
            fmt::format(
                "has elements of type {}; supported are float32, float64, integers and bool, little-endian",
                type));
    if (entry(header, "fortran_order", name) != "False")
        refuse(name, "is in Fortran order: save it with np.ascontiguousarray");
    Tensor array{parse_shape(entry(header, "shape", name), name), {}};
    int64_t count = 1;
    for (int64_t d : array.dims) count *= d;
    const size_t size = static_cast<size_t>(count) * known->second.size,
                 there = bytes.size() - start - length;
    if (size != there)
        refuse(name, fmt::format("holds {} bytes of data, its shape and type need {}", there, size));
    array.data = known->second.convert(bytes.data() + start + length, static_cast<size_t>(count));
    return array;
}

Tensor read_npy(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream bytes;
    if (!stream || !(bytes << stream.rdbuf())) refuse(file.string(), "cannot be read");
    return parse_npy(bytes.str(), file.string());
}

void write_npy(const std::filesystem::path& file, const Tensor& array) {
    write_bytes(file, "<f4", array.dims, array.data.data(), array.data.size() * sizeof(float));
}
void write_npy(const std::filesystem::path& file, const std::vector<int64_t>& dims,
               const std::vector<int16_t>& values) {
    write_bytes(file, "<i2", dims, values.data(), values.size() * sizeof(int16_t));
}
void write_npy(const std::filesystem::path& file, const std::vector<int64_t>& dims,
               const std::vector<int32_t>& values) {
    write_bytes(file, "<i4", dims, values.data(), values.size() * sizeof(int32_t));
}
void write_npy(const std::filesystem::path& file, const std::vector<int64_t>& dims,
               const std::vector<int64_t>& values) {
    write_bytes(file, "<i8", dims, values.data(), values.size() * sizeof(int64_t));
}

}  // namespace mho
