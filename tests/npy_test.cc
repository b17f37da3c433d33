// NumPy's files: every element type and order that NumPy writes, and files that are none.
#include "host/util/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kernels/base/error.h"
#include "tests/temporary_directory.h"

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
    const TemporaryDirectory folder;
    const auto file = folder / "array.npy";
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
    std::vector<std::string> bad{
        "",
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
        npy(header("<f4", "5"), bytes<float>({1})),
        npy(header("<f4", ""), bytes<float>({1})),
        npy(header("<f4", "None"), bytes<float>({1})),
        npy(header("<f4", "(,)"), bytes<float>({1})),
        npy(header("<f4", "(3,,)"), bytes<float>({1, 2, 3})),
        npy(header("<f4", "(3x,)"), bytes<float>({1, 2, 3})),
        npy(header("<f4", "(3,"), bytes<float>({1, 2, 3})),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': }", ""),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape':", ""),
        npy("{'descr': '<f4, 'fortran_order': False, 'shape': ()}", bytes<float>({1})),
        npy("{'descr': '<f4', 'shape': (), 'shape': (1,)}", bytes<float>({1})),
        npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}", bytes<float>({1})),
        npy(header("<f4", "()") + "more", bytes<float>({1})),
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

TEST(Npy, messages_say_what_is_wrong) {
    const auto message = [](const std::string& shape) -> std::string {
        try {
            parse_npy(npy(header("<f4", shape), bytes<float>({1})), "array.npy");
        } catch (const InputError& error) {
            return error.what();
        }
        return "was read";
    };
    EXPECT_EQ(message("5"), "array.npy: its shape is 5; expected a tuple of extents");
    EXPECT_EQ(message(""), "array.npy: its shape is ; expected a tuple of extents");
    EXPECT_EQ(message("(2,)"), "array.npy: holds 4 bytes of data, its shape and type need 8");
    EXPECT_EQ(message("(1"), "array.npy: its header breaks off");
}

TEST(Npy, any_byte_changed_is_read_or_refused_by_name) {
    const std::string good = npy(header("<f4", "(1, 3)"), bytes<float>({1, 2, 3}));
    for (size_t at = 0; at < good.size(); ++at)
        for (int byte = 0; byte < 256; ++byte) {
            std::string changed = good;
            changed[at] = static_cast<char>(byte);
            try {
                EXPECT_LE(parse_npy(changed, "array.npy").data.size(), 12u);
            } catch (const InputError& error) {
                EXPECT_THAT(error.what(), HasSubstr("array.npy"));
            }
        }
}

TEST(Npy, headers_as_others_than_numpy_write_them) {
    for (const char* text :
         {"{'descr':'<f4','fortran_order':False,'shape':(1,2)}",
          "{ \"shape\" : ( 1 , 2 , ) , \"fortran_order\" : False , \"descr\" : \"<f4\" }  \n"})
        EXPECT_EQ(parse_npy(npy(text, bytes<float>({1, 2})), "x"), (Tensor{{1, 2}, {1, 2}})) << text;
}

}  // namespace
}  // namespace mho
