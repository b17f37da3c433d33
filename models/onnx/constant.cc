#include "models/onnx/constant.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <fstream>
#include <limits>

#include "kernels/base/error.h"

namespace mho {

namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "ONNX raw data is little-endian");

struct ElementType {
    int32_t type;
    const char* name;
    size_t bytes;
    bool is_real;
};
constexpr ElementType element_types[] = {
    {onnx::TensorProto::FLOAT, "FLOAT", 4, true},     {onnx::TensorProto::DOUBLE, "DOUBLE", 8, true},
    {onnx::TensorProto::FLOAT16, "FLOAT16", 2, true}, {onnx::TensorProto::BFLOAT16, "BFLOAT16", 2, true},
    {onnx::TensorProto::INT64, "INT64", 8, false},    {onnx::TensorProto::INT32, "INT32", 4, false},
    {onnx::TensorProto::INT16, "INT16", 2, false},    {onnx::TensorProto::INT8, "INT8", 1, false},
    {onnx::TensorProto::UINT64, "UINT64", 8, false},  {onnx::TensorProto::UINT32, "UINT32", 4, false},
    {onnx::TensorProto::UINT16, "UINT16", 2, false},  {onnx::TensorProto::UINT8, "UINT8", 1, false},
    {onnx::TensorProto::BOOL, "BOOL", 1, false},
};

const ElementType* find_type(int32_t type) {
    for (const ElementType& t : element_types)
        if (t.type == type) return &t;
    return nullptr;
}

float from_bfloat16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

float from_float16(uint16_t bits) {
    const uint32_t sign = uint32_t{bits & 0x8000u} << 16, exponent = (bits >> 10) & 31,
                   mantissa = bits & 1023u;
    const float magnitude =
        exponent == 0
            ? static_cast<float>(mantissa) * 0x1p-24f  // subnormal: exact in float32
            : std::bit_cast<float>((exponent == 31 ? 255u : exponent + 112u) << 23 | mantissa << 13);
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
}

int64_t from_uint64(uint64_t value) {
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        throw InputError(fmt::format("the UINT64 value {} is over 2^63 - 1", value));
    return static_cast<int64_t>(value);
}

template <typename T>
T load(const char* bytes) {
    T value;
    std::memcpy(&value, bytes, sizeof(T));
    return value;
}

template <typename T, typename Out>
void unpack(const std::string& bytes, std::vector<Out>& out) {
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<Out>(load<T>(bytes.data() + i * sizeof(T)));
}

/// Elements from little-endian bytes, as many as `c` has.
void decode_bytes(const std::string& bytes, Constant& c) {
    using onnx::TensorProto;
    switch (c.type) {
        case TensorProto::FLOAT:
            return unpack<float>(bytes, c.reals);
        case TensorProto::DOUBLE:
            return unpack<double>(bytes, c.reals);
        case TensorProto::INT64:
            return unpack<int64_t>(bytes, c.integers);
        case TensorProto::INT32:
            return unpack<int32_t>(bytes, c.integers);
        case TensorProto::INT16:
            return unpack<int16_t>(bytes, c.integers);
        case TensorProto::INT8:
            return unpack<int8_t>(bytes, c.integers);
        case TensorProto::UINT32:
            return unpack<uint32_t>(bytes, c.integers);
        case TensorProto::UINT16:
            return unpack<uint16_t>(bytes, c.integers);
        case TensorProto::UINT8:
            return unpack<uint8_t>(bytes, c.integers);
        case TensorProto::BOOL:
            for (size_t i = 0; i < c.integers.size(); ++i) c.integers[i] = bytes[i] != 0;
            return;
        case TensorProto::UINT64:
            for (size_t i = 0; i < c.integers.size(); ++i)
                c.integers[i] = from_uint64(load<uint64_t>(&bytes[8 * i]));
            return;
        default:  // the two 16-bit float types
            for (size_t i = 0; i < c.reals.size(); ++i) {
                const auto bits = load<uint16_t>(bytes.data() + 2 * i);
                c.reals[i] = c.type == TensorProto::FLOAT16 ? from_float16(bits) : from_bfloat16(bits);
            }
    }
}

void check_stored(int64_t stored, int64_t expected, const char* field) {
    if (stored != expected)
        throw InputError(
            fmt::format("its {} holds {} elements, its dims ask for {}", field, stored, expected));
}

/// Elements from the typed fields that TensorProto has beside raw_data.
void decode_fields(const onnx::TensorProto& tensor, int64_t count, Constant& c) {
    using onnx::TensorProto;
    const auto n = static_cast<int>(std::min<int64_t>(count, std::numeric_limits<int>::max()));
    switch (c.type) {
        case TensorProto::FLOAT:
            check_stored(tensor.float_data_size(), count, "float_data");
            c.reals.assign(tensor.float_data().begin(), tensor.float_data().end());
            return;
        case TensorProto::DOUBLE:
            check_stored(tensor.double_data_size(), count, "double_data");
            for (double value : tensor.double_data()) c.reals.push_back(static_cast<float>(value));
            return;
        case TensorProto::INT64:
            check_stored(tensor.int64_data_size(), count, "int64_data");
            c.integers.assign(tensor.int64_data().begin(), tensor.int64_data().end());
            return;
        case TensorProto::UINT32:
        case TensorProto::UINT64:
            check_stored(tensor.uint64_data_size(), count, "uint64_data");
            for (uint64_t value : tensor.uint64_data()) c.integers.push_back(from_uint64(value));
            return;
        case TensorProto::FLOAT16:
        case TensorProto::BFLOAT16:
            check_stored(tensor.int32_data_size(), count, "int32_data");
            for (int i = 0; i < n; ++i) {
                const auto bits = static_cast<uint16_t>(tensor.int32_data(i));
                c.reals.push_back(c.type == TensorProto::FLOAT16 ? from_float16(bits) : from_bfloat16(bits));
            }
            return;
        default:
            check_stored(tensor.int32_data_size(), count, "int32_data");
            for (int32_t value : tensor.int32_data())
                c.integers.push_back(c.type == TensorProto::BOOL ? value != 0 : value);
    }
}

struct ExternalPlace {
    std::string location;
    int64_t offset = 0;
    int64_t length = -1;  ///< -1: as many bytes as the dims ask for
};

ExternalPlace external_place(const onnx::TensorProto& tensor) {
    ExternalPlace place;
    for (const auto& entry : tensor.external_data()) {
        const std::string& value = entry.value();
        if (entry.key() == "location") place.location = value;
        if (entry.key() != "offset" && entry.key() != "length") continue;
        int64_t number = -1;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc() || end != value.data() + value.size() || number < 0)
            throw InputError(
                fmt::format("its external data has the {} '{}'; expected a number", entry.key(), value));
        (entry.key() == "offset" ? place.offset : place.length) = number;
    }
    return place;
}

/// `bytes` bytes of the file beside the model that holds the tensor.
std::string read_external(const onnx::TensorProto& tensor, int64_t bytes, const fs::path& directory) {
    const ExternalPlace place = external_place(tensor);
    const fs::path relative = fs::path(place.location).lexically_normal();
    const bool escapes = relative.is_absolute() || (!relative.empty() && *relative.begin() == "..");
    if (place.location.empty() || escapes || place.location.find('\0') != std::string::npos)
        throw InputError(
            fmt::format("its external data lies in '{}', which is no file beside the model", place.location));
    const fs::path file = directory / relative;
    std::error_code error;
    if (!fs::is_regular_file(file, error))
        throw InputError(
            fmt::format("its external data file '{}' is not there: keep it beside the model", file.string()));
    const auto length = static_cast<int64_t>(fs::file_size(file, error));
    if (place.length >= 0 && place.length != bytes)
        throw InputError(
            fmt::format("its external data has {} bytes, its dims ask for {}", place.length, bytes));
    if (error || place.offset > length || bytes > length - place.offset)
        throw InputError(
            fmt::format("its external data file '{}' has {} bytes, too few for {} from {} on: is it cut off?",
                        file.string(), length, bytes, place.offset));
    std::string data(static_cast<size_t>(bytes), '\0');
    std::ifstream stream(file, std::ios::binary);
    stream.seekg(place.offset);
    if (!stream.read(data.data(), bytes))
        throw InputError(fmt::format("its external data file '{}' cannot be read", file.string()));
    return data;
}

}  // namespace

bool Constant::is_real() const { return is_real_type(type); }

bool is_real_type(int32_t onnx_type) {
    const ElementType* type = find_type(onnx_type);
    return type && type->is_real;
}

bool is_supported_type(int32_t onnx_type) { return find_type(onnx_type) != nullptr; }

std::string type_name(int32_t onnx_type) {
    if (const ElementType* type = find_type(onnx_type)) return type->name;
    if (onnx::TensorProto_DataType_IsValid(onnx_type))
        return onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(onnx_type));
    return fmt::format("{}", onnx_type);
}

int64_t checked_count(const std::vector<int64_t>& dims) {
    int64_t count = 1;
    bool empty = false;
    for (int64_t extent : dims) {
        if (extent < 0) throw InputError(fmt::format("the extent {} is negative", extent));
        if (extent > max_elements / count) throw InputError("its dims ask for more than 2^31 elements");
        empty = empty || extent == 0;
        count *= extent == 0 ? 1 : extent;
    }
    return empty ? 0 : count;
}

Constant make_constant(int32_t onnx_type, std::vector<int64_t> dims) {
    Constant c;
    c.type = onnx_type;
    c.dims = std::move(dims);
    const auto count = static_cast<size_t>(checked_count(c.dims));
    if (c.is_real())
        c.reals.resize(count);
    else
        c.integers.resize(count);
    return c;
}

Constant integer_constant(std::vector<int64_t> values) {
    Constant c;
    c.type = onnx::TensorProto::INT64;
    c.dims = {static_cast<int64_t>(values.size())};
    c.integers = std::move(values);
    return c;
}

Constant real_constant(std::vector<int64_t> dims, std::vector<float> values) {
    Constant c;
    c.dims = std::move(dims);
    c.reals = std::move(values);
    return c;
}

Constant decode_tensor(const onnx::TensorProto& tensor, const fs::path& directory) {
    const ElementType* type = find_type(tensor.data_type());
    if (!type)
        throw InputError(fmt::format("the element type {} is not supported", type_name(tensor.data_type())));
    if (tensor.has_segment()) throw InputError("tensors stored in segments are not supported");
    Constant c;
    c.type = type->type;
    c.dims.assign(tensor.dims().begin(), tensor.dims().end());
    const int64_t count = checked_count(c.dims), bytes = count * static_cast<int64_t>(type->bytes);
    const bool external = tensor.data_location() == onnx::TensorProto::EXTERNAL;
    if (!external && !tensor.has_raw_data()) {
        decode_fields(tensor, count, c);
        return c;
    }
    const std::string from_file = external ? read_external(tensor, bytes, directory) : std::string();
    const std::string& data = external ? from_file : tensor.raw_data();
    if (static_cast<int64_t>(data.size()) != bytes)
        throw InputError(fmt::format("its raw_data has {} bytes, its dims ask for {}", data.size(), bytes));
    c = make_constant(c.type, std::move(c.dims));
    decode_bytes(data, c);
    return c;
}

}  // namespace mho
