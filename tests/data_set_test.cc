// tests/data_set_test.cc - data sets: real files, files written here byte by byte, and every way to be
// malformed. To add a data set: a row in `layouts`. To add a malformed file: a row in `malformed_files`.
#include "models/data/data_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>

#include "kernels/base/error.h"
#include "models/names.h"
#include "tests/real_data.h"
#include "tests/temporary_directory.h"

namespace mho {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

constexpr unsigned seed = 20240607;

void write_file(const fs::path& path, const Bytes& bytes) {
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(out.good()) << path;
}

Bytes operator+(Bytes left, const Bytes& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

Bytes big_endian(uint32_t value) {
    return {static_cast<uint8_t>(value >> 24), static_cast<uint8_t>(value >> 16),
            static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
}

Bytes idx_header(uint32_t magic, const std::vector<uint32_t>& extents) {
    Bytes bytes = big_endian(magic);
    for (const uint32_t extent : extents) bytes = bytes + big_endian(extent);
    return bytes;
}

Bytes random_bytes(size_t count, unsigned limit = 256) {
    std::mt19937 random(seed);
    Bytes bytes(count);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() % limit);
    return bytes;
}

/// A CIFAR file of `records` records whose last label byte is `label`, and whose pixels are all `pixel`.
Bytes cifar_file(int records, int label_bytes, uint8_t label, uint8_t pixel) {
    Bytes one(static_cast<size_t>(label_bytes) + 3 * 32 * 32, pixel);
    one[0] = 7;  // the coarse label, where there is one
    one[static_cast<size_t>(label_bytes) - 1] = label;
    Bytes all;
    for (int i = 0; i < records; ++i) all = all + one;
    return all;
}

/// A folder of its own for each test, removed at its end; $MHO_DATA is unset while it runs.
class DataSetFiles : public testing::Test {
  protected:
    void SetUp() override { unsetenv("MHO_DATA"); }

    DataOptions options(const std::string& name, const std::string& split = "test",
                        int64_t images = 0) const {
        DataOptions result;
        result.name = name;
        result.directory = folder.string();
        result.split = split;
        result.images = images;
        return result;
    }

    const TemporaryDirectory made;
    const fs::path& folder = made.path();
};

/// The message of the InputError that reading throws, or "" (and a failure) where it throws none.
std::string message_of(const std::function<void()>& read) {
    try {
        read();
    } catch (const InputError& error) {
        return error.what();
    }
    ADD_FAILURE() << "no InputError";
    return "";
}

TEST_F(DataSetFiles, digits_come_with_mho) {
    DataOptions train{.name = "digits", .split = "train"};
    DataOptions test = train;
    test.split = "test";
    const DataSet a = read_data_set(train), b = read_data_set(test);
    EXPECT_EQ(a.count, 1297);
    EXPECT_EQ(b.count, 500);
    for (const DataSet& set : {a, b}) {
        EXPECT_EQ(set.channels, 1);
        EXPECT_EQ(set.height, 8);
        EXPECT_EQ(set.width, 8);
        EXPECT_EQ(set.classes, 10);
        EXPECT_EQ(set.labels.size(), static_cast<size_t>(set.count));
        EXPECT_EQ(set.pixels.size(), static_cast<size_t>(set.count * set.image_size()));
        EXPECT_EQ(*std::max_element(set.pixels.begin(), set.pixels.end()), 16);
        EXPECT_EQ(*std::max_element(set.labels.begin(), set.labels.end()), 9);
        const std::vector<float> x = normalised(set, 0, set.count);
        EXPECT_EQ(*std::max_element(x.begin(), x.end()), 16.0f / 16.0f);
        EXPECT_EQ(*std::min_element(x.begin(), x.end()), 0.0f);
    }
    // data/digits/test-labels-idx1-ubyte, from byte 8 on: 04 08 08 03 09
    EXPECT_THAT(std::vector<int32_t>(b.labels.begin(), b.labels.begin() + 5), ElementsAre(4, 8, 8, 3, 9));
}

TEST_F(DataSetFiles, first_images_are_a_prefix_of_all) {
    DataOptions all{.name = "digits", .split = "train"};
    DataOptions some = all;
    some.images = 7;
    const DataSet whole = read_data_set(all), part = read_data_set(some);
    EXPECT_EQ(part.count, 7);
    EXPECT_EQ(part.labels, std::vector<int32_t>(whole.labels.begin(), whole.labels.begin() + 7));
    EXPECT_EQ(part.pixels, Bytes(whole.pixels.begin(), whole.pixels.begin() + 7 * whole.image_size()));
    EXPECT_EQ(normalised(whole, 3, 4), normalised(part, 3, 4));
}

struct Layout {
    const char* name;
    std::vector<std::string> train, test;  // CIFAR: files; IDX: stem
    int label_bytes;                       // 0: IDX
    int64_t classes;
    std::vector<float> mean, std;
};

// Written from the data sets' own pages, not from the code's table.
const std::vector<Layout> layouts = {
    {"mnist", {"train"}, {"t10k"}, 0, 10, {.1307f}, {.3081f}},
    {"fashion-mnist", {"train"}, {"t10k"}, 0, 10, {.2860f}, {.3530f}},
    {"digits", {"train"}, {"test"}, 0, 10, {0}, {1}},
    {"idx", {"train"}, {"test"}, 0, 5, {0}, {1}},
    {"cifar-10",
     {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
     {"test_batch.bin"},
     1,
     10,
     {.4914f, .4822f, .4465f},
     {.2470f, .2435f, .2616f}},
    {"cifar-100", {"train.bin"}, {"test.bin"}, 2, 100, {.5071f, .4865f, .4409f}, {.2673f, .2564f, .2762f}},
};

TEST_F(DataSetFiles, every_known_set_has_a_layout_here) {
    std::vector<std::string> names;
    for (const Layout& layout : layouts) names.emplace_back(layout.name);
    EXPECT_THAT(data_set_names(), testing::UnorderedElementsAreArray(names));
}

/// Writes the files of one split, `each` images a file, label of image i of the split = i mod 5; returns all
/// pixels.
Bytes write_split(const fs::path& folder, const Layout& layout, const std::vector<std::string>& files,
                  int each) {
    Bytes all;
    int image = 0;
    for (const std::string& name : files) {
        const size_t image_size = layout.label_bytes == 0 ? 2 * 3 : 3 * 32 * 32;
        const Bytes pixels = random_bytes(static_cast<size_t>(each) * image_size);
        Bytes labels, records;
        for (int i = 0; i < each; ++i, ++image) {
            labels.push_back(static_cast<uint8_t>(image % 5));
            const Bytes coarse(static_cast<size_t>(std::max(layout.label_bytes - 1, 0)), uint8_t{19});
            const auto begin = pixels.begin() + i * static_cast<std::ptrdiff_t>(image_size);
            records =
                records + coarse + Bytes{labels.back()} + Bytes(begin, begin + static_cast<int>(image_size));
        }
        if (layout.label_bytes == 0) {
            const uint32_t count = static_cast<uint32_t>(each);
            write_file(folder / (name + "-images-idx3-ubyte"), idx_header(0x803, {count, 2, 3}) + pixels);
            write_file(folder / (name + "-labels-idx1-ubyte"), idx_header(0x801, {count}) + labels);
        } else {
            write_file(folder / name, records);
        }
        all = all + pixels;
    }
    return all;
}

TEST_F(DataSetFiles, every_set_gives_pixels_labels_and_normalisation_of_its_files) {
    for (const Layout& layout : layouts)
        for (const char* split : {"train", "test"}) {
            SCOPED_TRACE(testing::Message() << layout.name << " " << split << " seed " << seed);
            const auto& files = std::string(split) == "train" ? layout.train : layout.test;
            const Bytes pixels = write_split(folder, layout, files, 6);
            const DataSet set = read_data_set(options(layout.name, split));
            EXPECT_EQ(set.count, static_cast<int64_t>(6 * files.size()));
            EXPECT_EQ(set.pixels, pixels);
            EXPECT_EQ(set.classes, layout.classes);
            for (int64_t i = 0; i < set.count; ++i) EXPECT_EQ(set.labels[static_cast<size_t>(i)], i % 5) << i;
            EXPECT_EQ(set.full_scale, std::string(layout.name) == "digits" ? 16.0f : 255.0f);
            EXPECT_EQ(set.mean, layout.mean);
            EXPECT_EQ(set.std, layout.std);
            // The stated three operations, pixel by pixel, on images 2 to 4.
            const std::vector<float> x = normalised(set, 2, 3);
            ASSERT_EQ(x.size(), static_cast<size_t>(3 * set.image_size()));
            for (size_t i = 0; i < x.size(); ++i) {
                const size_t channel = i / static_cast<size_t>(set.height * set.width) % layout.mean.size();
                const uint8_t pixel = pixels[2 * static_cast<size_t>(set.image_size()) + i];
                volatile float value =
                    static_cast<float>(pixel) / set.full_scale;  // volatile: each step rounds
                value = value - layout.mean[channel];
                value = value / layout.std[channel];
                ASSERT_EQ(x[i], value) << "element " << i;
            }
        }
}

TEST_F(DataSetFiles, images_are_counted_over_files) {
    write_split(folder, layouts[4], layouts[4].train, 6);  // CIFAR-10: five files
    const DataSet all = read_data_set(options("cifar-10", "train"));
    for (const int64_t images : {1, 5, 6, 7, 12, 13, 30}) {
        const DataSet set = read_data_set(options("cifar-10", "train", images));
        EXPECT_EQ(set.count, images);
        EXPECT_EQ(set.labels, std::vector<int32_t>(all.labels.begin(), all.labels.begin() + images));
        EXPECT_EQ(set.pixels, Bytes(all.pixels.begin(), all.pixels.begin() + images * 3072));
    }
    EXPECT_THAT(message_of([&] { read_data_set(options("cifar-10", "train", 31)); }),
                testing::AllOf(HasSubstr("31 images were asked for"), HasSubstr("holds 30")));
}

TEST_F(DataSetFiles, coarse_labels_of_cifar_100_are_passed_over) {
    write_file(folder / "test.bin", cifar_file(2, 2, 99, 5));
    EXPECT_THAT(read_data_set(options("cifar-100")).labels, ElementsAre(99, 99));
}

TEST_F(DataSetFiles, idx_takes_several_channels_and_mnists_name_for_the_test_split) {
    const Bytes pixels = random_bytes(4 * 3 * 5 * 2);
    write_file(folder / "t10k-images-idx4-ubyte", idx_header(0x804, {4, 3, 5, 2}) + pixels);
    write_file(folder / "t10k-labels-idx1-ubyte", idx_header(0x801, {4}) + Bytes{0, 6, 1, 2});
    DataOptions few = options("idx", "test", 2);
    few.mean = {1, 2, 3};
    few.std = {4};
    few.full_scale = 31;
    const DataSet set = read_data_set(few);
    EXPECT_EQ(set.channels, 3);
    EXPECT_EQ(set.height, 5);
    EXPECT_EQ(set.width, 2);
    EXPECT_EQ(set.classes, 7);
    EXPECT_TRUE(set.more_classes);
    EXPECT_EQ(set.pixels, Bytes(pixels.begin(), pixels.begin() + 2 * 30));
    EXPECT_EQ(normalised(set, 0, 1)[10], (static_cast<float>(pixels[10]) / 31.0f - 2.0f) / 4.0f);
}

struct Malformed {
    const char* name;
    const char* set;
    const char* file;  // which file is bad: the message must name it
    Bytes bytes;
    const char* says;
};

/// Each row stands in a folder whose other files are good: 2 images of 2 x 3, labels 0 and 1, or 2 CIFAR
/// records.
std::vector<Malformed> malformed_files() {
    const char *images = "t10k-images-idx3-ubyte", *labels = "t10k-labels-idx1-ubyte";
    return {
        {"empty", "mnist", images, {}, "ends within its IDX header"},
        {"two bytes", "mnist", images, {0, 0}, "ends within its IDX header"},
        {"no extents", "mnist", images, idx_header(0x803, {2}), "ends within its IDX header"},
        {"magic of labels", "mnist", images, idx_header(0x801, {12}) + Bytes(12),
         "1 axes (magic number 0x00000801); 3"},
        {"magic of images", "mnist", labels, idx_header(0x803, {2, 1, 1}) + Bytes(2),
         "3 axes (magic number 0x00000803)"},
        {"four axes", "mnist", images, idx_header(0x804, {2, 1, 2, 3}) + Bytes(12),
         "4 axes (magic number 0x00000804); 3"},
        {"wrong magic", "mnist", images, idx_header(0xdeadbeef, {2, 2, 3}) + Bytes(12),
         "magic number 0xdeadbeef"},
        {"floats", "mnist", images, idx_header(0xd03, {2, 2, 3}) + Bytes(48),
         "an IDX file of 32-bit floating-point numbers; mho reads those of unsigned bytes"},
        {"shorts", "mnist", images, idx_header(0xb03, {2, 2, 3}) + Bytes(24),
         "an IDX file of 16-bit integers"},
        {"gzip", "mnist", images, Bytes{0x1f, 0x8b, 8, 0} + Bytes(30), "gunzip"},
        {"an extent of 0", "mnist", images, idx_header(0x803, {2, 0, 3}), "extent of axis 1 is 0"},
        {"truncated", "mnist", images, idx_header(0x803, {2, 2, 3}) + Bytes(11), "promises 12 bytes"},
        {"too long", "mnist", images, idx_header(0x803, {2, 2, 3}) + Bytes(13), "but 13 follow"},
        {"huge", "mnist", images, idx_header(0x803, {~0u, ~0u, ~0u}) + Bytes(12),
         "promises more than 12 bytes"},
        {"huge product", "mnist", images, idx_header(0x803, {1u << 31, 2, 3}) + Bytes(12),
         "promises 12884901888 bytes"},
        {"more images", "mnist", images, idx_header(0x803, {3, 2, 3}) + Bytes(18), "holds 3 images"},
        {"more labels", "mnist", labels, idx_header(0x801, {3}) + Bytes(3), "3 labels"},
        {"label out of range", "mnist", labels, idx_header(0x801, {2}) + Bytes{0, 10},
         "the label 10; the labels of mnist are 0 to 9"},
        {"empty", "cifar-10", "test_batch.bin", {}, "0 bytes is no whole number of records of 3073"},
        {"truncated", "cifar-10", "test_batch.bin", Bytes(2 * 3073 - 1), "6145 bytes is no whole number"},
        {"too long", "cifar-10", "test_batch.bin", Bytes(3073 + 1), "3074 bytes is no whole number"},
        {"of CIFAR-10", "cifar-100", "test.bin", Bytes(3073), "records of 3074 bytes"},
        {"label out of range", "cifar-10", "test_batch.bin", cifar_file(2, 1, 10, 0),
         "record 0 is 10; labels are 0 to 9"},
        {"label out of range", "cifar-100", "test.bin", cifar_file(1, 2, 3, 0) + cifar_file(1, 2, 100, 0),
         "record 1 is 100"},
    };
}

TEST_F(DataSetFiles, every_malformed_file_is_named_with_what_is_wrong) {
    for (const Malformed& bad : malformed_files()) {
        SCOPED_TRACE(testing::Message() << bad.set << ": " << bad.name);
        write_file(folder / "t10k-images-idx3-ubyte", idx_header(0x803, {2, 2, 3}) + Bytes(12));
        write_file(folder / "t10k-labels-idx1-ubyte", idx_header(0x801, {2}) + Bytes{0, 1});
        write_file(folder / "test_batch.bin", cifar_file(2, 1, 9, 0));
        write_file(folder / "test.bin", cifar_file(2, 2, 99, 0));
        EXPECT_EQ(read_data_set(options(bad.set)).count, 2);  // only the one file is at fault
        write_file(folder / bad.file, bad.bytes);
        const std::string message = message_of([&] { read_data_set(options(bad.set)); });
        EXPECT_THAT(message, HasSubstr((folder / bad.file).string()));
        EXPECT_THAT(message, HasSubstr(bad.says));
    }
}

TEST_F(DataSetFiles, every_prefix_of_a_good_file_is_refused) {
    const Bytes good = idx_header(0x803, {2, 2, 3}) + random_bytes(12);
    write_file(folder / "t10k-labels-idx1-ubyte", idx_header(0x801, {2}) + Bytes{0, 1});
    for (size_t length = 0; length < good.size(); ++length) {
        write_file(folder / "t10k-images-idx3-ubyte",
                   Bytes(good.begin(), good.begin() + static_cast<int>(length)));
        EXPECT_THROW(read_data_set(options("mnist")), InputError) << length;
    }
}

TEST_F(DataSetFiles, missing_files_say_where_to_get_them_and_how_to_point_at_them) {
    const auto says_how = [](const char* name, const char* sizes) {
        return testing::AllOf(HasSubstr(sizes), HasSubstr("data.directory"),
                              HasSubstr(std::string("$MHO_DATA/") + name));
    };
    for (const auto& [name, sizes] :
         {std::pair{"mnist", "47,040,016"}, std::pair{"fashion-mnist", "47,040,016"},
          std::pair{"cifar-10", "30,730,000"}, std::pair{"cifar-100", "153,700,000"}}) {
        SCOPED_TRACE(name);
        DataOptions nowhere = options(name);
        EXPECT_THAT(message_of([&] { read_data_set(nowhere); }), says_how(name, sizes));  // an empty folder
        nowhere.directory = "";
        EXPECT_THAT(message_of([&] { read_data_set(nowhere); }), says_how(name, sizes));
        nowhere.directory = "/no/such/folder";
        EXPECT_THAT(message_of([&] { read_data_set(nowhere); }), says_how(name, sizes));
        setenv("MHO_DATA", folder.c_str(), 1);
        nowhere.directory = "";
        EXPECT_THAT(message_of([&] { read_data_set(nowhere); }),
                    testing::AllOf(says_how(name, sizes), HasSubstr((folder / name).string())));
        unsetenv("MHO_DATA");
    }
    write_file(folder / "t10k-images-idx3-ubyte.gz", {0x1f, 0x8b});
    EXPECT_THAT(message_of([&] { read_data_set(options("mnist")); }), HasSubstr("gunzip"));
    fs::create_directory(folder / "test.bin");
    EXPECT_THAT(message_of([&] { read_data_set(options("cifar-100")); }),
                HasSubstr("cannot be read as a file"));
}

TEST_F(DataSetFiles, mho_data_is_searched_for_the_name_and_the_archives_folder) {
    setenv("MHO_DATA", folder.c_str(), 1);
    DataOptions found = options("cifar-100");
    found.directory = "";
    fs::create_directory(folder / "cifar-100-binary");
    write_file(folder / "cifar-100-binary/test.bin", cifar_file(1, 2, 1, 0));
    EXPECT_THAT(read_data_set(found).labels, ElementsAre(1));
    fs::create_directory(folder / "cifar-100");
    write_file(folder / "cifar-100/test.bin", cifar_file(1, 2, 2, 0));
    EXPECT_THAT(read_data_set(found).labels, ElementsAre(2));
    fs::create_directory(folder / "digits");  // found before the copy that comes with mho
    EXPECT_THAT(message_of([&] { read_data_set({.name = "digits"}); }),
                HasSubstr((folder / "digits").string()));
    unsetenv("MHO_DATA");
}

TEST_F(DataSetFiles, wrong_options_are_refused) {
    const auto with = [&](const std::function<void(DataOptions&)>& change) {
        DataOptions wrong = options("digits");
        wrong.directory = "";
        change(wrong);
        return message_of([&] { read_data_set(wrong); });
    };
    EXPECT_THAT(with([](auto& o) { o.name = "cifar100"; }),
                HasSubstr("\"cifar100\" (did you mean \"cifar-100\"?)"));
    EXPECT_THAT(with([](auto& o) { o.name = "imagenet"; }),
                HasSubstr("Known are: digits, mnist, fashion-mnist"));
    EXPECT_THAT(with([](auto& o) { o.split = "validation"; }), HasSubstr("data.split: \"validation\""));
    EXPECT_THAT(with([](auto& o) { o.images = -1; }), HasSubstr("data.images: -1"));
    EXPECT_THAT(with([](auto& o) { o.images = 501; }),
                testing::AllOf(HasSubstr("data.images: 501 images were asked for"), HasSubstr("holds 500")));
    EXPECT_THAT(with([](auto& o) {
                    o.images = 501;
                    o.images_key = "data.calibration_images";
                }),
                HasSubstr("data.calibration_images: 501 images were asked for"));
    EXPECT_THAT(with([](auto& o) {
                    o.mean = {0, 0};
                }),
                HasSubstr("data.mean: 2 values for images of 1 channels"));
    EXPECT_THAT(with([](auto& o) { o.mean = {NAN}; }), HasSubstr("data.mean"));
    EXPECT_THAT(with([](auto& o) { o.std = {0}; }), HasSubstr("data.std: 0"));
    EXPECT_THAT(with([](auto& o) { o.std = {1, 1, 1}; }), HasSubstr("data.std: 3 values"));
    EXPECT_THAT(with([](auto& o) { o.full_scale = -1; }), HasSubstr("data.full_scale: -1"));
    EXPECT_THAT(with([](auto& o) { o.full_scale = INFINITY; }), HasSubstr("data.full_scale: inf"));
}

TEST_F(DataSetFiles, the_whole_cifar_100_has_its_known_means_and_deviations) {
    const fs::path whole = test::whole_cifar_100();
    if (whole.empty()) GTEST_SKIP() << "CIFAR-100 is not at ../shared/data/cifar-100-binary";
    DataOptions train = options("cifar-100", "train");
    train.directory = whole.string();
    const DataSet set = read_data_set(train);
    ASSERT_EQ(set.count, 50000);
    std::vector<int> of_class(100);
    for (const int32_t label : set.labels) ++of_class[static_cast<size_t>(label)];
    EXPECT_EQ(of_class, std::vector<int>(100, 500));
    for (size_t channel = 0; channel < 3; ++channel) {
        int64_t sum = 0, squares = 0;  // exact: 51.2 million pixels of at most 255
        for (size_t image = 0; image < 50000; ++image)
            for (size_t i = 0; i < 1024; ++i) {
                const int64_t pixel = set.pixels[(image * 3 + channel) * 1024 + i];
                sum += pixel;
                squares += pixel * pixel;
            }
        const double count = 50000.0 * 1024, mean = static_cast<double>(sum) / count;
        const double deviation = std::sqrt(static_cast<double>(squares) / count - mean * mean);
        EXPECT_NEAR(mean / 255, set.mean[channel], .00005) << channel;  // the table has four digits
        EXPECT_NEAR(deviation / 255, set.std[channel], .0001) << channel;
    }
    train.split = "test";
    EXPECT_EQ(read_data_set(train).count, 10000);
}

TEST(Names, nearest_is_the_one_with_the_fewest_edits) {
    const std::vector<std::string> known = {"sigma", "mu", "scale", "single"};
    EXPECT_EQ(nearest_name("sgima", known), "sigma");
    EXPECT_EQ(nearest_name("SIGMA", known), "sigma");
    EXPECT_EQ(nearest_name("scael", known), "scale");
    EXPECT_EQ(nearest_name("mx", {"maximum", "mu"}), "mu");  // a letter too few counts like a wrong one
    EXPECT_EQ(nearest_name("nothing like it", known), "");
    EXPECT_EQ(nearest_name(std::string(300, 'x'), known), "");
    EXPECT_EQ(nearest_name("x", {}), "");
    EXPECT_EQ(did_you_mean("sigmaa", known), " (did you mean \"sigma\"?)");
    EXPECT_EQ(did_you_mean("distribution", known), "");
    EXPECT_EQ(joined({"a", "b"}), "a, b");
    EXPECT_EQ(joined({}), "");
}

TEST(Names, unique_ones_get_a_number_where_they_are_taken) {
    UniqueNames names;
    names.reserve("b");
    EXPECT_EQ(names.unique("a"), "a");
    EXPECT_EQ(names.unique("a_2"), "a_2");
    EXPECT_EQ(names.unique("a"), "a_3");
    EXPECT_EQ(names.unique("a"), "a_4");
    EXPECT_EQ(names.unique("b"), "b_2");
    EXPECT_EQ(names.unique("b_2"), "b_2_2");
}

}  // namespace
}  // namespace mho
