// models/data/data_set.h - labelled images from files: their pixels as stored, and as a network wants them.
// To add a data set in a known format: a row in the table of data_set.cc, a row in the test.
// To add a format: a reader like idx.h and cifar.h, its case in data_set.cc, a fuzz target.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mho {

/// What the [data] section of a config says.
struct DataOptions {
    std::string name;            ///< one of data_set_names()
    std::string directory;       ///< where the files lie; empty: looked for, see find_data_directory
    std::string split = "test";  ///< "train" or "test"
    int64_t images = 0;          ///< the first n of the split; 0: all
    std::string images_key = "data.images";  ///< the config key that `images` came from, for messages
    float full_scale = 0;                    ///< overrides the data set's own where not 0
    std::vector<float> mean,
        std;  ///< override the data set's own where not empty: one value, or one a channel
};

/// Labelled images, in the order of the files.
struct DataSet {
    std::string name;
    std::string split;
    int64_t count = 0;
    int64_t channels = 0, height = 0, width = 0;  ///< of every image
    int64_t classes = 0;                          ///< 0 <= label < classes
    bool more_classes = false;     ///< `classes` is what the labels read show: there may be more
    std::vector<uint8_t> pixels;   ///< count x channels x height x width, row-major
    std::vector<int32_t> labels;   ///< count
    float full_scale = 255;        ///< the pixel that stands for 1, > 0
    std::vector<float> mean, std;  ///< one a channel, of pixel / full_scale; std > 0

    int64_t image_size() const { return channels * height * width; }
};

/// Names that DataOptions::name may have: digits, mnist, fashion-mnist, cifar-10, cifar-100, and idx for any
/// data of one's own in MNIST's layout.
std::vector<std::string> data_set_names();

/// Where the files of `options` lie: `directory` if given; else NAME, or the folder that its official archive
/// unpacks to, below $MHO_DATA; else, for the digits, the copy that comes with mho. Throws InputError that
/// says where to get the files, their names and sizes, and how to point mho at them.
std::filesystem::path find_data_directory(const DataOptions& options);

/// Reads the first `images` of a split. Throws InputError that names the file and what is wrong with it:
/// missing, wrong length, wrong magic number, counts that disagree, a label out of range, fewer images than
/// asked for. Calibration images are the first n of the training split: call it with split = "train", images
/// = n.
DataSet read_data_set(const DataOptions& options);

/// Images first .. first + count - 1 as a network wants them, count x channels x height x width, row-major:
/// x = (pixel / full_scale - mean[channel]) / std[channel], in float32, each of the three operations rounded
/// to nearest in that order (what torchvision's ToTensor and Normalize do). Needs 0 <= first, first + count
/// <= set.count.
std::vector<float> normalised(const DataSet& set, int64_t first, int64_t count);

}  // namespace mho
