// models/zoo.cc - the list of the zoo and where its files lie.
#include "models/zoo.h"

#include <fmt/format.h>

#include <cstdlib>

#include "kernels/base/error.h"
#include "models/names.h"
#include "models/resources.h"

namespace mho {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> zoo_names() {
    std::vector<std::string> names;
    for (const ZooModel& model : zoo_models()) names.push_back(model.name);
    return names;
}

bool is_file(const fs::path& path) {
    std::error_code ignored;  // what may not be looked at is no file for us
    return fs::is_regular_file(path, ignored);
}

}  // namespace

const std::vector<ZooModel>& zoo_models() {
    static const std::vector<ZooModel> models = {
        {"digits_cnn", "conv 16, conv 32, linear 10, batch norm", "digits", .984,
         "fb0cd5028664cc31bfe84616c1861b5f5b118adb914eabb434160e5e21b370b6"},
        {"wrn16_2_cifar100", "WRN-16-2, pre-activation, .7 M parameters", "cifar-100", .6806,
         "48bce5806d823203882e48af1806e54709eef11ade34c406b8da050e7df3ce3a"},
    };
    return models;
}

std::filesystem::path find_zoo_model(const std::string& name) {
    const char* own = std::getenv("MHO_ZOO");
    if (own != nullptr && *own != '\0' && is_file(fs::path(own) / (name + ".onnx")))
        return fs::path(own) / (name + ".onnx");
    for (const std::string& known : zoo_names()) {
        if (known != name) continue;
        if (fs::path file = find_resource("models/zoo/" + name + ".onnx"); !file.empty()) return file;
        throw InputError(fmt::format(
            "{}.onnx is not there: mho's zoo is looked for beside the program, in "
            "../share/mho/models/zoo; install mho again, or set MHO_ZOO to a folder that holds it",
            name));
    }
    throw InputError(fmt::format("no zoo network is called \"{}\"{}. There are: {}{}", name,
                                 did_you_mean(name, zoo_names()), joined(zoo_names()),
                                 own == nullptr ? "; $MHO_ZOO may name a folder with more"
                                                : fmt::format(", and what lies in {} ($MHO_ZOO)", own)));
}

std::filesystem::path find_model(const std::string& file_or_name) {
    if (is_file(file_or_name)) return file_or_name;
    const fs::path path = file_or_name;
    if (path.has_parent_path() || path.extension() == ".onnx")
        throw InputError(fmt::format(
            "{}: no such file. Give a network as an .onnx file, or the name of one in the zoo: {}",
            file_or_name, joined(zoo_names())));
    return find_zoo_model(file_or_name);
}

}  // namespace mho
