// models/data/data_set.cc - the table of data sets, where their files are looked for, and normalisation.
#include "models/data/data_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "kernels/base/error.h"
#include "models/data/cifar.h"
#include "models/data/idx.h"
#include "models/names.h"
#include "models/resources.h"

namespace mho {
namespace {

namespace fs = std::filesystem;

enum class Format { idx, cifar };

struct KnownSet {
    std::string name;
    Format format;
    std::vector<std::string> train,
        test;         ///< cifar: files in order; idx: stems of the pair of files, any one of them
    int64_t classes;  ///< 0: as many as the labels say
    float full_scale;
    std::vector<float> mean, std;
    int label_bytes;      ///< of a CIFAR record
    std::string archive;  ///< folder that the official archive unpacks to, or ""
    std::string source;   ///< where to get the files
};

// MNIST's and Fashion-MNIST's normalisation is the customary one, CIFAR-10's and CIFAR-100's are the mean and
// standard deviation of their training images' channels. The digits' network takes pixel / 16.
const std::vector<KnownSet>& known_sets() {
    static const std::string mnist_files =
        "train-images-idx3-ubyte (47,040,016 bytes), train-labels-idx1-ubyte (60,008), "
        "t10k-images-idx3-ubyte "
        "(7,840,016) and t10k-labels-idx1-ubyte (10,008), each unpacked with gunzip";
    static const std::vector<KnownSet> sets = {
        {"digits",
         Format::idx,
         {"train"},
         {"test"},
         10,
         16,
         {0},
         {1},
         0,
         "",
         "They come with mho (data/digits): train-images-idx3-ubyte (83,024 bytes), train-labels-idx1-ubyte "
         "(1,305), "
         "test-images-idx3-ubyte (32,016) and test-labels-idx1-ubyte (508)"},
        {"mnist",
         Format::idx,
         {"train"},
         {"t10k"},
         10,
         255,
         {.1307f},
         {.3081f},
         0,
         "",
         "Get them from http://yann.lecun.com/exdb/mnist: " + mnist_files},
        {"fashion-mnist",
         Format::idx,
         {"train"},
         {"t10k"},
         10,
         255,
         {.2860f},
         {.3530f},
         0,
         "",
         "Get them from https://github.com/zalandoresearch/fashion-mnist: " + mnist_files},
        {"cifar-10",
         Format::cifar,
         {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
         {"test_batch.bin"},
         10,
         255,
         {.4914f, .4822f, .4465f},
         {.2470f, .2435f, .2616f},
         1,
         "cifar-10-batches-bin",
         "Get the \"binary version\" (cifar-10-binary.tar.gz) from "
         "https://www.cs.toronto.edu/~kriz/cifar.html: "
         "data_batch_1.bin to data_batch_5.bin and test_batch.bin, 30,730,000 bytes each"},
        {"cifar-100",
         Format::cifar,
         {"train.bin"},
         {"test.bin"},
         100,
         255,
         {.5071f, .4865f, .4409f},
         {.2673f, .2564f, .2762f},
         2,
         "cifar-100-binary",
         "Get the \"binary version\" (cifar-100-binary.tar.gz) from "
         "https://www.cs.toronto.edu/~kriz/cifar.html: "
         "train.bin (153,700,000 bytes) and test.bin (30,740,000)"},
        {"idx",
         Format::idx,
         {"train"},
         {"test", "t10k"},
         0,
         255,
         {0},
         {1},
         0,
         "",
         "Any images will do: train-images-idx3-ubyte and train-labels-idx1-ubyte, test-images-idx3-ubyte "
         "and "
         "test-labels-idx1-ubyte in the layout of MNIST (idx4 for images of several channels: N, C, H, W)"},
    };
    return sets;
}

const KnownSet& known_set(const std::string& name) {
    for (const KnownSet& set : known_sets())
        if (set.name == name) return set;
    throw InputError(fmt::format("data.name: unknown data set \"{}\"{}. Known are: {}", name,
                                 did_you_mean(name, data_set_names()), joined(data_set_names())));
}

std::string how_to_get(const KnownSet& set) {
    return fmt::format(
        "{}. Then set data.directory to the folder that holds them, or put that folder at $MHO_DATA/{}",
        set.source, set.name);
}

const std::vector<std::string>& files_of(const KnownSet& set, const std::string& split) {
    if (split == "train") return set.train;
    if (split == "test") return set.test;
    throw InputError(fmt::format("data.split: \"{}\" is no split of {}; allowed are \"train\" and \"test\"",
                                 split, set.name));
}

std::ifstream opened(const fs::path& path, const KnownSet& set) {
    std::ifstream in(path, std::ios::binary);
    std::error_code ignored;
    if (in && !fs::is_directory(path, ignored)) return in;
    if (fs::exists(path.string() + ".gz", ignored))
        throw InputError(fmt::format("{}: not there, but {}.gz is; run gunzip on it", path.string(),
                                     path.filename().string()));
    throw InputError(fmt::format("{}: {}. {}", path.string(),
                                 fs::exists(path, ignored) ? "cannot be read as a file" : "no such file",
                                 how_to_get(set)));
}

/// The path of an existing one of a folder's candidate names, else of the first.
fs::path first_existing(const fs::path& folder, const std::vector<std::string>& names) {
    std::error_code ignored;
    for (const std::string& name : names)
        if (fs::exists(folder / name, ignored)) return folder / name;
    return folder / names.front();
}

void read_idx_pair(DataSet& data, const KnownSet& set, const fs::path& folder, int64_t images) {
    std::vector<std::string> image_names, label_names;
    for (const std::string& stem : files_of(set, data.split)) {
        image_names.push_back(stem + "-images-idx3-ubyte");
        if (set.classes == 0) image_names.push_back(stem + "-images-idx4-ubyte");
        label_names.push_back(stem + "-labels-idx1-ubyte");
    }
    const fs::path image_path = first_existing(folder, image_names),
                   label_path = first_existing(folder, label_names);
    std::ifstream image_file = opened(image_path, set), label_file = opened(label_path, set);
    IdxArray array = read_idx(image_file, image_path.string(), 3, set.classes == 0 ? 4 : 3, images);
    const IdxArray labels = read_idx(label_file, label_path.string(), 1, 1, 0);
    if (labels.total != array.total)
        throw InputError(
            fmt::format("{}: {} labels, but {} holds {} images; the two files are of different sets",
                        label_path.string(), labels.total, image_path.string(), array.total));
    const int64_t largest = *std::max_element(labels.values.begin(), labels.values.end());
    data.more_classes = set.classes == 0;
    data.classes = data.more_classes ? largest + 1 : set.classes;
    if (largest >= data.classes)
        throw InputError(fmt::format("{}: holds the label {}; the labels of {} are 0 to {}",
                                     label_path.string(), largest, set.name, data.classes - 1));
    data.count = array.extents[0];
    data.channels = array.extents.size() == 4 ? array.extents[1] : 1;
    data.height = *(array.extents.end() - 2);
    data.width = array.extents.back();
    data.labels.assign(labels.values.begin(), labels.values.begin() + data.count);
    data.pixels = std::move(array.values);
}

void read_cifar_files(DataSet& data, const KnownSet& set, const fs::path& folder, int64_t images) {
    const CifarFormat format{set.label_bytes, static_cast<int>(set.classes)};
    data.channels = 3;
    data.height = data.width = 32;
    data.classes = set.classes;
    for (const std::string& name : files_of(set, data.split)) {
        if (images != 0 && data.count == images) break;
        std::ifstream in = opened(folder / name, set);
        data.count += append_cifar(in, (folder / name).string(), format,
                                   images == 0 ? 0 : images - data.count, data.pixels, data.labels);
    }
}

/// One value a channel: the override (one value, or one a channel) if there is one, else the set's own.
std::vector<float> a_channel(const char* key, const std::vector<float>& given, const std::vector<float>& own,
                             int64_t channels) {
    const std::vector<float>& values = given.empty() ? own : given;
    if (values.size() == 1) return std::vector<float>(static_cast<size_t>(channels), values[0]);
    if (static_cast<int64_t>(values.size()) == channels) return values;
    throw InputError(fmt::format("{}: {} values for images of {} channels; give one, or one a channel", key,
                                 values.size(), channels));
}

void set_normalisation(DataSet& data, const KnownSet& set, const DataOptions& options) {
    data.full_scale = options.full_scale == 0 ? set.full_scale : options.full_scale;
    data.mean = a_channel("data.mean", options.mean, set.mean, data.channels);
    data.std = a_channel("data.std", options.std, set.std, data.channels);
    if (!(data.full_scale > 0) || !std::isfinite(data.full_scale))
        throw InputError(
            fmt::format("data.full_scale: {} is not allowed; it is the pixel that stands for 1, a positive "
                        "number (here {} by default)",
                        data.full_scale, set.full_scale));
    for (const float mean : data.mean)
        if (!std::isfinite(mean))
            throw InputError(fmt::format("data.mean: {} is not allowed; give a finite number", mean));
    for (const float deviation : data.std)
        if (!(deviation > 0) || !std::isfinite(deviation))
            throw InputError(fmt::format("data.std: {} is not allowed; give a positive number", deviation));
}

}  // namespace

std::vector<std::string> data_set_names() {
    std::vector<std::string> names;
    for (const KnownSet& set : known_sets()) names.push_back(set.name);
    return names;
}

std::filesystem::path find_data_directory(const DataOptions& options) {
    const KnownSet& set = known_set(options.name);
    std::error_code ignored;
    if (!options.directory.empty()) {
        if (fs::is_directory(options.directory, ignored)) return options.directory;
        throw InputError(
            fmt::format("data.directory: \"{}\" is no folder. {}", options.directory, how_to_get(set)));
    }
    std::vector<std::string> looked;
    if (const char* root = std::getenv("MHO_DATA"); root != nullptr && *root != '\0')
        for (const std::string& folder : {set.name, set.archive}) {
            if (folder.empty()) continue;
            looked.push_back((fs::path(root) / folder).string());
            if (fs::is_directory(looked.back(), ignored)) return looked.back();
        }
    if (set.name == "digits")
        if (fs::path own = find_resource("data/digits"); !own.empty()) return own;
    throw InputError(fmt::format(
        "{}: no files found ({}). {}", set.name,
        looked.empty() ? "data.directory and $MHO_DATA are not set" : "looked for " + joined(looked),
        how_to_get(set)));
}

DataSet read_data_set(const DataOptions& options) {
    const KnownSet& set = known_set(options.name);
    if (options.images < 0)
        throw InputError(fmt::format("{}: {} is not allowed; give the number of images to take, or 0 for all",
                                     options.images_key, options.images));
    DataSet data;
    data.name = set.name;
    data.split = options.split;
    files_of(set, options.split);  // refuse a wrong split before looking for files
    const fs::path folder = find_data_directory(options);
    set.format == Format::idx ? read_idx_pair(data, set, folder, options.images)
                              : read_cifar_files(data, set, folder, options.images);
    if (data.count < options.images)
        throw InputError(fmt::format("{}: {} images were asked for, but the {} split of {} in {} holds {}",
                                     options.images_key, options.images, data.split, set.name,
                                     folder.string(), data.count));
    set_normalisation(data, set, options);
    return data;
}

std::vector<float> normalised(const DataSet& set, int64_t first, int64_t count) {
    const size_t plane = static_cast<size_t>(set.height * set.width),
                 channels = static_cast<size_t>(set.channels);
    std::vector<float> values(static_cast<size_t>(count) * channels * plane);
    for (size_t channel = 0; channel < channels; ++channel) {
        std::array<float, 256> value_of;  // a pixel has 256 values: the division is done once for each
        for (size_t pixel = 0; pixel < value_of.size(); ++pixel)
            value_of[pixel] =
                (static_cast<float>(pixel) / set.full_scale - set.mean[channel]) / set.std[channel];
        for (size_t image = 0; image < static_cast<size_t>(count); ++image) {
            const size_t from = ((static_cast<size_t>(first) + image) * channels + channel) * plane;
            const size_t to = (image * channels + channel) * plane;
            for (size_t i = 0; i < plane; ++i) values[to + i] = value_of[set.pixels[from + i]];
        }
    }
    return values;
}

}  // namespace mho
