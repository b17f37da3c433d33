// tests/zoo_test.cc - every network of the zoo has its file and its card, and the three agree.
#include "models/zoo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "kernels/base/error.h"
#include "models/data/data_set.h"
#include "tests/temporary_directory.h"

namespace mho {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

const fs::path zoo_folder = MHO_SOURCE_DIR "/models/zoo";

std::string text_of(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// What coreutils say, so that nothing of mho's own is trusted here.
std::string sha256_of(const fs::path& path) {
    std::FILE* pipe = popen(("sha256sum '" + path.string() + "'").c_str(), "r");
    std::array<char, 65> digest{};
    const size_t read = std::fread(digest.data(), 1, 64, pipe);
    pclose(pipe);
    return std::string(digest.data(), read);
}

std::string message_of(const std::string& name, fs::path (*find)(const std::string&)) {
    try {
        find(name);
    } catch (const InputError& error) {
        return error.what();
    }
    ADD_FAILURE() << "no InputError for " << name;
    return "";
}

TEST(Zoo, file_card_and_list_agree) {
    std::set<std::string> listed;
    for (const ZooModel& model : zoo_models()) {
        SCOPED_TRACE(model.name);
        listed.insert(model.name);
        EXPECT_EQ(sha256_of(find_zoo_model(model.name)), model.sha256);
        const std::string card = text_of(zoo_folder / (model.name + ".md"));
        EXPECT_THAT(card, AllOf(HasSubstr("# " + model.name), HasSubstr(model.sha256),
                                HasSubstr("`" + model.data + "`")));
        EXPECT_THAT(data_set_names(), Contains(model.data));
        const std::string after = card.substr(card.find("top-1 ") + 6);  // "top-1 .984 (500 ..."
        EXPECT_EQ(std::stod(after), model.top1);
        for (const char* row : {"| network |", "| input |", "| recipe |"}) EXPECT_THAT(card, HasSubstr(row));
    }
    for (const auto& entry : fs::directory_iterator(zoo_folder)) {
        if (entry.path().extension() != ".onnx") continue;
        EXPECT_EQ(listed.count(entry.path().stem().string()), 1u) << entry.path();
    }
}

TEST(Zoo, a_folder_of_ones_own_comes_first) {
    const TemporaryDirectory made;
    const std::string folder = made.path().string();
    std::ofstream(fs::path(folder) / "mine.onnx") << "x";
    EXPECT_THAT(message_of("mine", find_zoo_model), HasSubstr("$MHO_ZOO may name a folder"));
    setenv("MHO_ZOO", folder.c_str(), 1);
    EXPECT_EQ(find_zoo_model("mine"), fs::path(folder) / "mine.onnx");
    EXPECT_EQ(find_zoo_model("digits_cnn").parent_path(), zoo_folder);
    std::ofstream(fs::path(folder) / "digits_cnn.onnx") << "x";
    EXPECT_EQ(find_zoo_model("digits_cnn").parent_path(), fs::path(folder));
    EXPECT_THAT(message_of("other", find_zoo_model), HasSubstr(folder));
    unsetenv("MHO_ZOO");
}

TEST(Zoo, a_name_or_a_file_is_a_model_and_anything_else_is_refused) {
    unsetenv("MHO_ZOO");
    const std::string file = (zoo_folder / "digits_cnn.onnx").string();
    EXPECT_EQ(find_model(file), file);
    EXPECT_EQ(find_model("digits_cnn"), file);
    EXPECT_THAT(message_of("digits_cn", find_model),
                HasSubstr("\"digits_cn\" (did you mean \"digits_cnn\"?)"));
    EXPECT_THAT(message_of("resnet50", find_model), HasSubstr("There are: digits_cnn, wrn16_2_cifar100"));
    EXPECT_THAT(message_of("", find_model), HasSubstr("There are: "));
    for (const char* path : {"missing.onnx", "no/such/digits_cnn", "../digits_cnn"})
        EXPECT_THAT(message_of(path, find_model), HasSubstr(std::string(path) + ": no such file"));
}

}  // namespace
}  // namespace mho
