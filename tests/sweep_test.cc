// `mho sweep` as a user runs it: the digits over the parameter level, through the program itself.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "host/store.h"

namespace mho {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

class Sweep : public ::testing::Test {
  protected:
    void SetUp() override {
        char pattern[] = "/tmp/mho_sweep_XXXXXX";
        directory_ = mkdtemp(pattern);
    }
    void TearDown() override { fs::remove_all(directory_); }

    /// Exit code; what it printed is in out() and err().
    int mho(const std::string& arguments) const {
        const std::string command = std::string(MHO_BINARY) + " " + arguments + " >" +
                                    (directory_ / "out").string() + " 2>" + (directory_ / "err").string();
        return WEXITSTATUS(std::system(command.c_str()));
    }
    int sweep(const std::string& run, const std::string& more = "") const {
        return mho("sweep " MHO_SOURCE_DIR "/examples/digits.toml --set monte_carlo.chips=4 --out " +
                   (directory_ / run).string() + " " + more);
    }
    std::string out() const { return contents(directory_ / "out"); }
    std::string err() const { return contents(directory_ / "err"); }
    std::string chips(const std::string& run) const { return contents(directory_ / run / "chips.csv"); }

    fs::path directory_;
};

TEST_F(Sweep, same_chips_with_any_number_of_threads_and_images_a_batch) {
    ASSERT_EQ(sweep("one", "--threads 1"), 0) << err();
    ASSERT_EQ(sweep("three", "--threads 3"), 0) << err();
    EXPECT_EQ(chips("one"), chips("three"));
    EXPECT_NE(out().find("digital: top-1 98.40 %"), std::string::npos) << out();
}

TEST_F(Sweep, at_sigma_zero_every_chip_is_digital_and_another_seed_is_another_chip) {
    ASSERT_EQ(sweep("a", "--seed 1"), 0) << err();
    ASSERT_EQ(sweep("b", "--seed 2"), 0) << err();
    EXPECT_NE(chips("a"), chips("b"));
    const RunResult run = Store::open(directory_ / "a").result();
    ASSERT_EQ(run.points.size(), 11u);
    for (const ChipResult& chip : run.points[0].chips) EXPECT_EQ(chip.top1_fraction(), run.digital.top1);
    EXPECT_LT(run.points[10].chips[0].top1_fraction(), run.digital.top1);
}

TEST_F(Sweep, resumes_to_the_same_file_and_refuses_another_run) {
    ASSERT_EQ(sweep("whole"), 0) << err();
    EXPECT_EQ(sweep("whole"), 2);
    EXPECT_NE(err().find("--resume"), std::string::npos) << err();
    EXPECT_EQ(sweep("whole", "--set parameter.mu=0.01 --resume"), 2);
    EXPECT_NE(err().find("another run"), std::string::npos) << err();
    const std::string before = chips("whole");
    EXPECT_EQ(sweep("whole", "--resume"), 0) << err();
    EXPECT_EQ(chips("whole"), before);
}

TEST_F(Sweep, each_layer_alone) {
    ASSERT_EQ(sweep("layers", "--per-layer --set parameter.sigma=0.1"), 0) << err();
    EXPECT_EQ(Store::open(directory_ / "layers").result().points.size(),
              4u);  // all, two convolutions, one linear layer
}

TEST_F(Sweep, bad_input_names_what_is_wrong_and_exits_with_2) {
    const std::pair<const char*, const char*> cases[] = {
        {"--set parameter.sigmma=0.1", "parameter.sigma"},
        {"--set parameter.sigma=-1", "a number from 0"},
        {"--set parameter.sigma=many", "takes a number"},
        {"--set monte_carlo.chips=0", "whole number"},
        {"--set parameter.scale=bi", "\"bi-scale\""},
        {"--set crossbar.rows=64", "does nothing"},
        {"--set model.file=digits_cn", "digits_cnn"},
        {"--set data.name=digit", "digits"},
        {"--set data.images=100000", "500"},
        {"--set chip.relu_levels=1", "at least 2"},
        {"--set model.file=wrn16_2_cifar100", "takes images of"},
        {"--set nonsense", "key=value"},
        {"--backend cuda", "no CUDA backend"},
        {"--threads -1", "--threads"},
    };
    for (const auto& [option, expected] : cases) {
        EXPECT_EQ(sweep("bad", option), 2) << option;
        EXPECT_NE(err().find(expected), std::string::npos) << option << ": " << err();
    }
    EXPECT_EQ(mho("sweep /nowhere.toml --out " + (directory_ / "x").string()), 2);
    EXPECT_EQ(mho("sweep"), 2);
}

TEST_F(Sweep, other_commands_answer) {
    EXPECT_EQ(mho("info"), 0);
    EXPECT_NE(out().find("oneDNN"), std::string::npos);
    EXPECT_EQ(mho("models"), 0);
    EXPECT_NE(out().find("wrn16_2_cifar100"), std::string::npos);
    EXPECT_EQ(mho("--help"), 0);
}

}  // namespace
}  // namespace mho
