// NumPy's files: every element type and order that NumPy writes, and files that are none.
#include "host/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kernels/error.h"

namespace mho {
namespace {

using ::testing::HasSubstr;

std::string npy(const std::string& header, const std::string& data, char major = 1) {
    std::string text = "\x93NUMPY";
    text += major;
    text += '\0';
    const size_t size = header.size();
    for (int i = 0; i < (major == 1 ? 2 : 4); ++i) text += static_cast<char>(size >> (8 * i) & 0xff);
    return text + header + data;
}

std::string header(const std::string& type, const std::string& shape, const std::string& order = "False") {
    return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

template <class T>
std::string bytes(std::initializer_list<T> values) {
    return {reinterpret_cast<const char*>(std::data(values)), sizeof(T) * values.size()};
}

TEST(Npy, every_type_is_read_as_float) {
    const std::vector<float> want{1, 2, 3};
    EXPECT_EQ(parse_npy(npy(header("<f4", "(3,)"), bytes<float>({1, 2, 3})), "x").data, want);
    EXPECT_EQ(parse_npy(npy(header("<f8", "(3,)"), bytes<double>({1, 2, 3})), "x").data, want);
    EXPECT_EQ(parse_npy(npy(header("<i8", "(3,)"), bytes<int64_t>({1, 2, 3})), "x").data, want);
    EXPECT_EQ(parse_npy(npy(header("<i4", "(3,)"), bytes<int32_t>({1, 2, 3})), "x").data, want);
    EXPECT_EQ(parse_npy(npy(header("<i2", "(3,)"), bytes<int16_t>({1, 2, 3})), "x").data, want);
    EXPECT_EQ(parse_npy(npy(header("|i1", "(3,)"), bytes<int8_t>({1, 2, 3})), "x").data, want);
    EXPECT_EQ(parse_npy(npy(header("|u1", "(3,)"), bytes<uint8_t>({1, 2, 3})), "x").data, want);
    EXPECT_EQ(parse_npy(npy(header("<f4", "(3,)"), bytes<float>({1, 2, 3}), 2), "x").data, want);
}

TEST(Npy, shapes) {
    EXPECT_EQ(parse_npy(npy(header("<f4", "()"), bytes<float>({7})), "x").dims, (std::vector<int64_t>{}));
    EXPECT_EQ(parse_npy(npy(header("<f4", "(1, 2)"), bytes<float>({7, 8})), "x").dims,
              (std::vector<int64_t>{1, 2}));
}

TEST(Npy, what_is_written_is_read) {
    const auto file = std::filesystem::path(::testing::TempDir()) / "mho_test.npy";
    const Tensor t{{2, 3}, {1, 2, 3, 4, 5, 6.5f}};
    write_npy(file, t);
    EXPECT_EQ(read_npy(file), t);
    write_npy(file, {2}, std::vector<int64_t>{5, -6});
    EXPECT_EQ(read_npy(file).data, (std::vector<float>{5, -6}));
    write_npy(file, {2}, std::vector<int32_t>{5, -6});
    EXPECT_EQ(read_npy(file).data, (std::vector<float>{5, -6}));
    write_npy(file, {2}, std::vector<int16_t>{5, -6});
    EXPECT_EQ(read_npy(file).data, (std::vector<float>{5, -6}));
    EXPECT_THROW(write_npy("/nowhere/x.npy", t), RunError);
    EXPECT_THROW(read_npy("/nowhere/x.npy"), InputError);
}

TEST(Npy, malformed_files_are_refused_by_name) {
    const std::string good = npy(header("<f4", "(3,)"), bytes<float>({1, 2, 3}));
    std::vector<std::string> bad{"",
                                 "PK",
                                 "\x93NUMPY",
                                 npy(header("<c8", "(3,)"), std::string(24, 'x')),
                                 npy(header(">f4", "(3,)"), std::string(12, 'x')),
                                 npy(header("<f4", "(3,)"), "short"),
                                 npy(header("<f4", "(3,)"), std::string(13, 'x')),
                                 npy(header("<f4", "(-3,)"), ""),
                                 npy(header("<f4", "(9999999999, 9999999999, 9999999999)"), ""),
                                 npy("{'descr': '<f4'}", ""),
                                 npy("nonsense", ""),
                                 npy(header("<f4", "3"), bytes<float>({1, 2, 3})),
                                 npy(header("<f4", "(2, 2)", "True"), std::string(16, 'x')),
                                 npy(header("<f4", "(3,)"), bytes<float>({1, 2, 3}), 9)};
    for (size_t n = 0; n < good.size(); ++n) bad.push_back(good.substr(0, n));
    for (const std::string& text : bad) {
        try {
            parse_npy(text, "array.npy");
            ADD_FAILURE() << "was read: " << text;
        } catch (const InputError& error) {
            EXPECT_THAT(error.what(), HasSubstr("array.npy"));
        }
    }
}

}  // namespace
}  // namespace mho
