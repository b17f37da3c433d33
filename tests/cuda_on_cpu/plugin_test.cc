// mho with a CUDA plug-in: what it says where there is none, or none that works, and whole sweeps on the real
// kernels, which an executed plug-in runs on the CPU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/real_data.h"
#include "tests/temporary_directory.h"

namespace mho {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string contents(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

class CudaPluginTest : public ::testing::Test {
  protected:
    /// Exit code of mho with this plug-in and environment.
    int mho(const std::string& plugin, const std::string& environment, const std::string& arguments) const {
        const std::string command = "MHO_CUDA_PLUGIN='" + plugin + "' " + environment + " " MHO_BINARY " " +
                                    arguments + " >" + (folder_ / "out").string() + " 2>" +
                                    (folder_ / "err").string();
        return WEXITSTATUS(std::system(command.c_str()));
    }
    std::string out() const { return contents(folder_ / "out"); }
    std::string err() const { return contents(folder_ / "err"); }
    std::string run_of(const std::string& name) const { return (folder_ / name).string(); }
    std::string chips(const std::string& name) const { return contents(folder_ / name / "chips.csv"); }

    /// chips.csv as fields.
    std::vector<std::vector<std::string>> rows(const std::string& name) const {
        std::vector<std::vector<std::string>> all;
        std::istringstream lines(chips(name));
        for (std::string line; std::getline(lines, line);) {
            std::istringstream fields(line);
            all.emplace_back();
            for (std::string field; std::getline(fields, field, ',');) all.back().push_back(field);
        }
        return all;
    }

    /// Neither auto nor info mind that there is no GPU, for this reason; cuda does.
    void expect_no_gpu(const std::string& plugin, const std::string& environment,
                       const std::string& why) const {
        SCOPED_TRACE(why);
        EXPECT_EQ(mho(plugin, environment, "info"), 0) << err();
        EXPECT_THAT(out(), HasSubstr("cuda      none: "));
        EXPECT_THAT(out(), HasSubstr(why));
        EXPECT_THAT(out(), HasSubstr("auto      cpu"));
        const std::string sweep =
            "sweep " MHO_SOURCE_DIR
            "/examples/digits.toml --set data.images=5 --set monte_carlo.chips=1 --out ";
        const std::string name = "run" + std::to_string(++runs_);
        EXPECT_EQ(mho(plugin, environment, sweep + run_of(name) + " --backend auto"), 0) << err();
        EXPECT_THAT(contents(folder_ / name / "results.json"), HasSubstr("\"backend\": \"cpu\""));
        EXPECT_EQ(mho(plugin, environment, sweep + run_of(name + "cuda") + " --backend cuda"), 2);
        EXPECT_THAT(err(), HasSubstr("--backend cuda: "));
        EXPECT_THAT(err(), HasSubstr(why));
        EXPECT_THAT(err(), HasSubstr("--backend cpu or auto goes on without"));
        EXPECT_FALSE(fs::exists(folder_ / (name + "cuda")));
    }

    const TemporaryDirectory folder_;
    mutable int runs_ = 0;
};

TEST_F(CudaPluginTest, without_a_gpu_says_why_and_auto_takes_the_cpu) {
    expect_no_gpu(MHO_EXECUTED_PLUGIN, "MHO_TEST_DEVICES=-1", "no NVIDIA driver is installed");
    expect_no_gpu(MHO_EXECUTED_PLUGIN, "MHO_TEST_DEVICES=0", "the NVIDIA driver shows no GPU");
    expect_no_gpu("/nowhere/plugin.so", "", "$MHO_CUDA_PLUGIN names /nowhere/plugin.so, which is not there");
    expect_no_gpu(MHO_OTHER_VERSION_PLUGIN, "", "was built from another version of mho (0.0.9 0123456789ab");
    expect_no_gpu(MHO_NO_PLUGIN, "", "is no plug-in of mho's");
    std::ofstream(folder_ / "text.so")
        << "not a library at all, but long enough to hold an ELF header, as files go";
    expect_no_gpu((folder_ / "text.so").string(), "", "is no library");
    std::ofstream(folder_ / "empty.so");
    expect_no_gpu((folder_ / "empty.so").string(), "", "is no library");
}

TEST_F(CudaPluginTest, cut_short_anywhere_it_is_refused) {
    const std::string whole = contents(MHO_OTHER_VERSION_PLUGIN);
    const std::string cut = (folder_ / "cut.so").string();
    for (const size_t length : {size_t{1}, size_t{63}, size_t{64}, size_t{200}, whole.size() / 4,
                                whole.size() / 2, whole.size() - 100, whole.size() - 1}) {
        std::ofstream(cut, std::ios::binary) << whole.substr(0, length);
        ASSERT_EQ(mho(cut, "", "info"), 0) << "cut after " << length << " bytes: " << err();
        EXPECT_THAT(out(), HasSubstr("cut.so is ")) << length;
        EXPECT_THAT(out(), HasSubstr("build or install it again")) << length;
    }
}

TEST_F(CudaPluginTest, lists_every_gpu) {
    ASSERT_EQ(mho(MHO_EXECUTED_PLUGIN, "MHO_TEST_DEVICES=2", "info"), 0) << err();
    EXPECT_THAT(out(), HasSubstr("cuda      CUDA on CPU, compute capability 9.0"));
    EXPECT_NE(out().find("cuda      CUDA on CPU"), out().rfind("cuda      CUDA on CPU"));
    EXPECT_THAT(out(), HasSubstr("auto      cuda"));
}

TEST_F(CudaPluginTest, sweeps_at_parameter_level) {
    const std::string sweep = "sweep " MHO_SOURCE_DIR
                              "/examples/digits.toml --set parameter.sigma=0.05 --set data.images=40 "
                              "--set monte_carlo.chips=2 --set monte_carlo.batch=7 --out ";
    ASSERT_EQ(mho("", "", sweep + run_of("cpu") + " --backend cpu"), 0) << err();
    ASSERT_EQ(mho(MHO_EXECUTED_PLUGIN, "MHO_TEST_DEVICES=2", sweep + run_of("cuda") + " --backend cuda"), 0)
        << err();
    const auto got = rows("cuda"), want = rows("cpu");
    ASSERT_EQ(got.size(), 3u);  // a header and two chips
    ASSERT_EQ(got[0], want[0]);
    for (size_t chip = 1; chip < got.size(); ++chip) {
        // point, chip, top1, top5, loss, clipped_cells: sums in another order move the loss, not the classes.
        for (size_t field : {0, 1, 2, 3, 5}) EXPECT_EQ(got[chip][field], want[chip][field]) << got[0][field];
        EXPECT_NEAR(std::stod(got[chip][4]), std::stod(want[chip][4]), 1e-4);
    }
}

TEST_F(CudaPluginTest, multiplies_as_precisely_as_asked) {
    const std::string sweep = "sweep " MHO_SOURCE_DIR
                              "/examples/digits.toml --set parameter.sigma=0.05 --set data.images=40 "
                              "--set monte_carlo.chips=1 --out ";
    std::vector<std::string> losses;
    for (const std::string precision : {"f32", "tf32", "bf16"}) {
        ASSERT_EQ(mho(MHO_EXECUTED_PLUGIN, "",
                      sweep + run_of(precision) + " --backend cuda --set monte_carlo.precision=" + precision),
                  0)
            << err();
        EXPECT_THAT(contents(folder_ / precision / "results.json"),
                    HasSubstr("\"precision\": \"" + precision + "\""));
        losses.push_back(rows(precision).at(1).at(4));
        EXPECT_NEAR(std::stod(losses.back()), std::stod(losses.front()), 0.02 * std::stod(losses.front()));
    }
    EXPECT_NE(losses[0], losses[1]);
    EXPECT_NE(losses[1], losses[2]);
    EXPECT_EQ(mho(MHO_EXECUTED_PLUGIN, "",
                  sweep + run_of("cpu") + " --backend cpu --set monte_carlo.precision=tf32"),
              2);
    EXPECT_THAT(err(), HasSubstr("monte_carlo.precision: tf32 and bf16 take a GPU"));
    EXPECT_FALSE(fs::exists(folder_ / "cpu"));
}

#if !defined(MHO_SANITIZED)  // sampling every cell anew at every launch takes minutes there
/// The digits on crossbars, three chips of few images: seconds when executed.
class ExecutedSweep : public CudaPluginTest {
  protected:
    static constexpr const char* kMany =
        "--set data.images=100 --set data.calibration_images=16 --set monte_carlo.batch=10 ";
    static constexpr const char* kFew =
        "--set data.images=12 --set data.calibration_images=8 --set monte_carlo.batch=4 ";
    int sweep(const std::string& name, const std::string& images, const std::string& environment,
              const std::string& more) const {
        return mho(MHO_EXECUTED_PLUGIN, environment,
                   "sweep " MHO_SOURCE_DIR
                   "/examples/digits_crossbar.toml --set device.sigma=0.1 --set monte_carlo.chips=3 " +
                       images + "--out " + run_of(name) + " " + more);
    }
    /// Chips that the store of an unfinished run holds.
    int64_t finished_chips(const std::string& name) const {
        EXPECT_EQ(mho("", "", "report " + run_of(name)), 0) << err();
        const std::string lines = chips(name);
        return std::count(lines.begin(), lines.end(), '\n') - 1;
    }
};

TEST_F(ExecutedSweep, gives_the_chips_of_the_cpu) {
    ASSERT_EQ(sweep("cpu", kMany, "", "--backend cpu"), 0) << err();
    ASSERT_EQ(sweep("cuda", kMany, "", "--backend cuda"), 0) << err();
    EXPECT_THAT(contents(folder_ / "cuda" / "results.json"), HasSubstr("\"backend\": \"cuda\""));
    EXPECT_EQ(chips("cuda"), chips("cpu"));
}

TEST_F(ExecutedSweep, spreads_chips_over_gpus) {
    ASSERT_EQ(sweep("cpu", kFew, "", "--backend cpu"), 0) << err();
    ASSERT_EQ(sweep("two", kFew, "MHO_TEST_DEVICES=2", "--backend cuda --threads 1"), 0) << err();
    EXPECT_EQ(chips("two"), chips("cpu"));
}

TEST_F(ExecutedSweep, outlives_one_of_its_gpus) {
    ASSERT_EQ(sweep("cpu", kFew, "", "--backend cpu"), 0) << err();
    const std::pair<const char*, const char*> failures[] = {
        {"50", "the run goes on without it"},                    // before its first chip
        {"110", "its chips go to the devices that still work"},  // on it
    };
    for (const auto& [work, what_then] : failures) {
        const std::string broken = std::string("MHO_TEST_DEVICES=2 MHO_TEST_BREAK=1:") + work;
        ASSERT_EQ(sweep(work, kFew, broken, "--backend cuda --threads 1"), 0) << err();
        EXPECT_THAT(err(), HasSubstr("GPU 1 failed")) << work;
        EXPECT_THAT(err(), HasSubstr(what_then)) << work;
        EXPECT_EQ(chips(work), chips("cpu")) << work;
    }
}

TEST_F(ExecutedSweep, keeps_what_was_finished_when_the_last_gpu_fails) {
    ASSERT_EQ(sweep("cpu", kFew, "", "--backend cpu"), 0) << err();
    int64_t most = 0;
    for (const char* work : {"200", "350"}) {
        const std::string broken = std::string("MHO_TEST_BREAK=0:") + work;
        EXPECT_EQ(sweep(work, kFew, broken, "--backend cuda --threads 1"), 1);
        EXPECT_THAT(err(), HasSubstr("GPU 0 failed"));
        EXPECT_THAT(err(), HasSubstr("--resume goes on"));
        most = std::max(most, finished_chips(work));
        ASSERT_EQ(sweep(work, kFew, "", "--backend cuda --resume"), 0) << err();
        EXPECT_EQ(chips(work), chips("cpu"));
    }
    EXPECT_GT(most, 0) << "no run failed after a chip was finished";
}

TEST_F(CudaPluginTest, an_image_of_cifar_100_gives_the_chips_of_the_cpu) {
    const fs::path data = test::whole_cifar_100();
    if (data.empty()) GTEST_SKIP() << "CIFAR-100 is not in ../shared/data";
    const auto sweep = [&](const std::string& backend) {
        return mho(MHO_EXECUTED_PLUGIN, "",
                   "sweep " MHO_SOURCE_DIR
                   "/examples/crossbar_8bit.toml --set data.images=1 "
                   "--set data.calibration_images=1 --set monte_carlo.chips=1 --set data.directory=" +
                       data.string() + " --out " + run_of(backend) + " --backend " + backend);
    };
    ASSERT_EQ(sweep("cpu"), 0) << err();
    ASSERT_EQ(sweep("cuda"), 0) << err();
    EXPECT_EQ(chips("cuda"), chips("cpu"));
}
#endif

}  // namespace
}  // namespace mho
