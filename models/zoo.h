// models/zoo.h - trained networks that come with mho, by name.
// To add one: NAME.onnx and its card NAME.md in models/zoo/, a row in zoo.cc. The test compares the three.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mho {

/// One trained network; its card (models/zoo/NAME.md) tells the same and the recipe.
struct ZooModel {
    std::string name;     ///< file name without .onnx
    std::string network;  ///< architecture in a few words
    std::string data;     ///< data set's name, as in data_set_names()
    double top1;          ///< digital accuracy on all test images of `data`, a fraction
    std::string sha256;   ///< of the .onnx file
};

const std::vector<ZooModel>& zoo_models();

/// The file of a zoo network: NAME.onnx in $MHO_ZOO where it is set and holds it (so a zoo of one's own adds
/// to ours), else in mho's own zoo. Throws InputError that lists what there is, with the nearest name.
std::filesystem::path find_zoo_model(const std::string& name);

/// What `model.file` of a config and the MODEL argument of a command mean: an existing file, else a zoo
/// network's name. Throws InputError where it is neither.
std::filesystem::path find_model(const std::string& file_or_name);

}  // namespace mho
