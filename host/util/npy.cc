#include "host/util/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "kernels/base/error.h"

namespace mho {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr int64_t kMostElements = int64_t{1} << 40;

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
    throw InputError(fmt::format("{}: {}", name, why));
}

/// The header: a Python dictionary, each entry a string, a word, a tuple or a list. Values are kept as they
/// stand, strings without their quotes.
class Header {
  public:
    Header(const std::string& text, const std::string& name) : text_(text), name_(name) {
        expect('{');
        while (!next_is('}')) {
            const std::string key = string();
            expect(':');
            if (!entries_.emplace(key, value()).second) fail("names '" + key + "' twice");
            if (!next_is('}')) expect(',');
        }
        expect('}');
        if (skip_space(); at_ != text_.size()) fail("goes on after its dictionary");
    }

    const std::string& entry(const std::string& key) const {
        const auto found = entries_.find(key);
        if (found == entries_.end()) fail("has no '" + key + "'");
        return found->second;
    }

  private:
    [[noreturn]] void fail(const std::string& what) const { refuse(name_, "its header " + what); }

    void skip_space() {
        while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    }
    /// The next letter that is no space.
    char next() {
        skip_space();
        if (at_ == text_.size()) fail("breaks off");
        return text_[at_];
    }
    bool next_is(char letter) { return next() == letter; }
    bool next_is_quote() { return next_is('\'') || next_is('"'); }
    void expect(char letter) {
        if (!next_is(letter)) fail(fmt::format("has '{}' where '{}' should stand", text_[at_], letter));
        ++at_;
    }
    /// What stands from here to before `end`, which is passed over.
    std::string up_to(char end) {
        const size_t begin = at_, found = text_.find(end, begin);
        if (found == std::string::npos) fail("breaks off");
        at_ = found + 1;
        return text_.substr(begin, found - begin);
    }
    std::string string() {
        if (!next_is_quote()) fail("has no string where one should stand");
        const char quote = text_[at_++];
        return up_to(quote);
    }
    std::string value() {
        if (next_is('(')) return up_to(')') + ")";
        if (next_is('[')) return up_to(']') + "]";
        return next_is_quote() ? string() : word();
    }
    std::string word() {
        const size_t begin = at_;
        at_ = std::min(text_.find_first_of(",}", begin), text_.size());
        const size_t last = text_.find_last_not_of(" \n", at_ - 1);
        return text_.substr(begin, std::max(last + 1, begin) - begin);
    }

    const std::string& text_;
    const std::string& name_;
    size_t at_ = 0;
    std::map<std::string, std::string> entries_;
};

/// The extents of "(2, 3)", "(2,)" or "()".
std::vector<int64_t> parse_shape(const std::string& text, const std::string& name) {
    const auto fail = [&] { refuse(name, "its shape is " + text + "; expected a tuple of extents"); };
    if (text.size() < 2 || text.front() != '(' || text.back() != ')') fail();
    std::vector<int64_t> dims;
    int64_t total = 1;
    std::istringstream stream(text.substr(1, text.size() - 2));
    for (std::string item; std::getline(stream, item, ',');) {
        const size_t begin = item.find_first_not_of(' '), last = item.find_last_not_of(' ');
        // Python writes a comma after a tuple's only entry: nothing may follow that one.
        if (begin == std::string::npos && !dims.empty() && stream.eof()) break;
        int64_t extent = -1;
        const char* end = begin == std::string::npos ? nullptr : item.data() + last + 1;
        if (!end || std::from_chars(item.data() + begin, end, extent).ptr != end || extent < 0) fail();
        if (extent > kMostElements || (extent > 0 && total > kMostElements / extent))
            refuse(name, "its shape " + text + " is too large");
        dims.push_back(extent);
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
    const std::string text = bytes.substr(start, length);
    const Header header(text, name);
    const std::string& type = header.entry("descr");
    const auto known = element_types().find(type);
    if (known == element_types().end())
        refuse(
            name,
            fmt::format(
                "has elements of type {}; supported are float32, float64, integers and bool, little-endian",
                type));
    if (header.entry("fortran_order") != "False")
        refuse(name, "is in Fortran order: save it with np.ascontiguousarray");
    Tensor array{parse_shape(header.entry("shape"), name), {}};
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
