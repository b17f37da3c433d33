// `mho sweep` as a user runs it: the digits at both levels, through the program itself, with all that can go
// wrong.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <thread>

#include "host/chip/point_plan.h"
#include "host/config/read.h"
#include "host/results/findings.h"
#include "host/results/results.h"
#include "host/results/store.h"
#include "host/run/monte_carlo.h"
#include "host/run/sweep.h"
#include "host/run/workload.h"
#include "host/statistics/statistics.h"
#include "host/util/output.h"
#include "tests/temporary_directory.h"

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
    /// Sends `signal` once a first chip of this run is finished, however slow the machine. Exit code; -signal
    /// where that killed the program.
    int mho_until_first_chip(const std::string& arguments, int signal) const {
        const std::string command =
            "exec " MHO_BINARY " " + arguments + " >/dev/null 2>" + (directory_ / "err").string();
        const char* words[] = {"sh", "-c", command.c_str(), nullptr};
        fs::remove(directory_ / "err");
        pid_t process = 0;
        if (posix_spawn(&process, "/bin/sh", nullptr, nullptr, const_cast<char**>(words), environ) != 0)
            return -1;
        int status = 0;
        bool sent = false;
        while (waitpid(process, &status, sent ? 0 : WNOHANG) == 0) {
            if (!std::regex_search(err(), std::regex("[1-9][0-9]*/[0-9]+ chips")))
                std::this_thread::sleep_for(std::chrono::milliseconds(2));
            else
                sent = kill(process, signal) == 0;
        }
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    std::string out() const { return contents(directory_ / "out"); }
    std::string err() const { return contents(directory_ / "err"); }
    std::string chips(const std::string& run) const { return contents(directory_ / run / "chips.csv"); }

    const TemporaryDirectory made_;
    const fs::path& directory_ = made_.path();
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
    for (const ChipResult& chip : run.points[0].chips) EXPECT_EQ(chip.top1, run.digital->top1);
    EXPECT_LT(run.points[10].chips[0].top1, run.digital->top1);
}

/// Right ones of 500 images, as an independent computation of the same networks gives them.
TEST_F(Sweep, relu_outputs_of_a_few_levels_cost_what_was_computed_elsewhere) {
    std::ofstream(directory_ / "relu.toml") << R"(
[model]
file = "digits_cnn"
[chip]
level = "parameter"
batch_norm = "fold"
[monte_carlo]
chips = 1
[sweep]
"chip.relu_levels" = [2, 3, 4, 5, 8, 18]
)";
    ASSERT_EQ(
        mho("sweep " + (directory_ / "relu.toml").string() + " --out " + (directory_ / "relu").string()), 0)
        << err();
    std::vector<int64_t> top1;
    for (const PointResult& point : Store::open(directory_ / "relu").result().points)
        top1.push_back(point.chips.at(0).top1);
    EXPECT_EQ(top1, (std::vector<int64_t>{138, 486, 493, 492, 492, 493}));
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

#if defined(MHO_SANITIZED)
constexpr char kFew[] =  // sanitizers take ten times as long
    " --set data.images=9 --set data.calibration_images=8 --set monte_carlo.chips=3";
#else
constexpr char kFew[] = "";
#endif

constexpr char kCrossbar[] = R"(
[model]
file = "digits_cnn"
[data]
images = 60
calibration_images = 32
[chip]
level = "crossbar"
[crossbar]
rows = 100
cell_bits = 2
[device]
read_noise = 0.02
[adc]
range = "calibrated"
noise = 0.2
gain_sigma = 0.01
[monte_carlo]
chips = 6
[sweep]
"device.sigma" = [0.0, 0.1]
)";

TEST_F(Sweep, crossbar_chips_are_the_same_with_any_threads_and_batch_and_after_being_killed) {
    std::ofstream(directory_ / "crossbar.toml") << kCrossbar;
    const auto crossbar = [&](const std::string& run, const std::string& more) {
        return mho("sweep " + (directory_ / "crossbar.toml").string() + " --out " +
                   (directory_ / run).string() + kFew + " " + more);
    };
    ASSERT_EQ(crossbar("one", "--threads 1"), 0) << err();
    ASSERT_EQ(crossbar("two", "--threads 2 --set monte_carlo.batch=1"), 0) << err();
    ASSERT_EQ(crossbar("three", "--threads 2 --set monte_carlo.batch=7"), 0) << err();
    ASSERT_EQ(crossbar("four", "--threads 3 --set monte_carlo.batch=256"), 0) << err();
    for (const char* other : {"two", "three", "four"}) EXPECT_EQ(chips("one"), chips(other)) << other;

    // Killed without warning three times, each time resumed.
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(
            mho_until_first_chip("sweep " + (directory_ / "crossbar.toml").string() +
                                     " --resume --threads 1 --out " + (directory_ / "killed").string() + kFew,
                                 SIGKILL),
            -SIGKILL)
            << err();
    ASSERT_EQ(crossbar("killed", "--resume"), 0) << err();
    EXPECT_EQ(chips("one"), chips("killed"));
}

/// Ctrl-C, kill, and a terminal that is closed. More chips than memory holds: nothing grows with what is not
/// done.
TEST_F(Sweep, a_signal_keeps_finished_chips_and_says_what_it_waits_for_and_how_to_go_on) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        const fs::path run = directory_ / std::to_string(signal);
        EXPECT_EQ(mho_until_first_chip("sweep " MHO_SOURCE_DIR
                                       "/examples/digits.toml --set monte_carlo.chips=4294967295 --out " +
                                           run.string(),
                                       signal),
                  128 + signal);
        EXPECT_NE(err().find("stopping when every thread is done with the layer"), std::string::npos)
            << err();
        EXPECT_NE(err().find("--resume goes on"), std::string::npos) << err();
        EXPECT_GT(Store::open(run).result().points[0].chips.size(), 0u);
        EXPECT_TRUE(fs::exists(run / "report.html"));
    }
}

TEST_F(Sweep, one_directory_has_one_writer) {
    fs::create_directory(directory_ / "run");
    {
        const DirectoryLock here(directory_ / "run");
        EXPECT_EQ(sweep("run"), 1);
        EXPECT_NE(err().find("another mho is running there"), std::string::npos) << err();
    }
    EXPECT_EQ(sweep("run"), 0) << err();
}

/// As a run leaves it that was killed in its first moment.
TEST_F(Sweep, an_empty_store_is_said_to_be_none_and_the_run_begins_anew) {
    ASSERT_EQ(sweep("whole"), 0) << err();
    fs::create_directory(directory_ / "run");
    std::ofstream(directory_ / "run" / "run.sqlite");
    EXPECT_EQ(sweep("run", "--resume"), 0) << err();
    EXPECT_NE(err().find("is empty: there is nothing to go on with"), std::string::npos) << err();
    EXPECT_EQ(chips("run"), chips("whole"));
}

TEST_F(Sweep, another_run_is_told_by_the_keys_that_differ) {
    ASSERT_EQ(sweep("run"), 0) << err();
    EXPECT_EQ(sweep("run", "--resume --set parameter.mu=0.1 --set chip.batch_norm=digital"), 2);
    EXPECT_NE(
        err().find(
            "config (chip.batch_norm: \"fold\" there, \"digital\" here; parameter.mu: 0.0 there, 0.1 here)"),
        std::string::npos)
        << err();
}

/// What is printed must not reach a file that got the number of a closed stream.
TEST_F(Sweep, closed_streams_are_a_failure_and_harm_no_file) {
    const std::string run = (directory_ / "run").string();
    for (const std::string& command :
         {std::string("--help"),
          "sweep " MHO_SOURCE_DIR "/examples/digits.toml --set monte_carlo.chips=1 --out " + run}) {
        const std::string closed = MHO_BINARY " " + command + " >&- 2>&- <&-";
        EXPECT_EQ(WEXITSTATUS(std::system(closed.c_str())), 1) << command;
    }
    EXPECT_EQ(contents(directory_ / "run" / "config.toml").rfind("[model]", 0), 0u);
    EXPECT_EQ(mho("report " + run), 0) << err();
}

TEST_F(Sweep, files_are_looked_for_beside_the_config_that_names_them) {
    fs::create_directory(directory_ / "there");
    fs::copy(MHO_SOURCE_DIR "/models/zoo/digits_cnn.onnx", directory_ / "there" / "net.onnx");
    std::ofstream(directory_ / "there" / "run.toml")
        << "[model]\nfile = \"net.onnx\"\n[data]\nimages = 20\n[monte_carlo]\nchips = 1\n";
    EXPECT_EQ(mho("sweep " + (directory_ / "there" / "run.toml").string() + " --out " +
                  (directory_ / "run").string()),
              0)
        << err();
    std::ofstream(directory_ / "run.toml") << "[model]\nfile = \"net.onnx\"\n";
    EXPECT_EQ(
        mho("sweep " + (directory_ / "run.toml").string() + " --out " + (directory_ / "other").string()), 2);
    EXPECT_NE(err().find((directory_ / "net.onnx").string()), std::string::npos)
        << "where it was looked for: " << err();
}

TEST_F(Sweep, keys_that_change_nothing_are_noted) {
    EXPECT_EQ(sweep("run", "--set crossbar.rows=64"), 0) << err();
    EXPECT_NE(err().find("note: --set: crossbar.rows does nothing unless chip.level = \"crossbar\""),
              std::string::npos)
        << err();
}

TEST_F(Sweep, resumes_with_more_chips_another_batch_and_a_moved_network_but_not_with_other_images) {
    ASSERT_EQ(sweep("whole", "--set monte_carlo.chips=6"), 0) << err();
    ASSERT_EQ(sweep("grown"), 0) << err();
    const fs::path network = directory_ / "elsewhere.onnx", data = directory_ / "data";
    fs::copy(MHO_SOURCE_DIR "/models/zoo/digits_cnn.onnx", network);
    fs::copy(MHO_SOURCE_DIR "/data/digits", data);
    const std::string moved = "--resume --set model.file=" + network.string() +
                              " --set data.directory=" + data.string() +
                              " --set monte_carlo.batch=7 --set monte_carlo.chips=";
    EXPECT_EQ(sweep("grown", moved + "6"), 0) << err();
    EXPECT_EQ(chips("grown"), chips("whole"));
    EXPECT_NE(contents(directory_ / "grown" / "config.toml").find("chips = 6"), std::string::npos);
    EXPECT_EQ(sweep("grown", moved + "5"), 2);
    EXPECT_NE(err().find("monte_carlo.chips can grow"), std::string::npos) << err();
    EXPECT_EQ(sweep("grown", moved + "6 --per-layer"), 2);
    EXPECT_NE(err().find("--per-layer"), std::string::npos) << err();

    std::string labels = contents(data / "test-labels-idx1-ubyte");
    labels.back() = static_cast<char>((labels.back() + 1) % 10);
    std::ofstream(data / "test-labels-idx1-ubyte", std::ios::binary) << labels;
    EXPECT_EQ(sweep("grown", moved + "6"), 2);
    EXPECT_NE(err().find("images or labels"), std::string::npos) << err();
    EXPECT_NE(contents(directory_ / "grown" / "config.toml").find("chips = 6"), std::string::npos);
}

TEST_F(Sweep, layers_may_be_calibrated_on_each_chip_while_others_are_not) {
    std::ofstream(directory_ / "nominal.toml") << kCrossbar;
    std::ofstream(directory_ / "chip.toml")
        << kCrossbar << "[[layer]]\nmatch = \"*Gemm*\"\nadc.calibrate = \"chip\"\n";
    const auto run = [&](const std::string& name) {
        return mho("sweep " + (directory_ / (name + ".toml")).string() + kFew +
                   " --set monte_carlo.chips=2 --out " + (directory_ / name).string());
    };
    ASSERT_EQ(run("nominal"), 0) << err();
    ASSERT_EQ(run("chip"), 0) << err();
    EXPECT_NE(chips("nominal"), chips("chip"));
}

TEST_F(Sweep, does_not_resume_with_other_calibration_images) {
    std::ofstream(directory_ / "crossbar.toml") << kCrossbar;
    const fs::path data = directory_ / "data";
    fs::copy(MHO_SOURCE_DIR "/data/digits", data);
    const std::string run = "sweep " + (directory_ / "crossbar.toml").string() + kFew +
                            " --set monte_carlo.chips=1 --set data.directory=" + data.string() + " --out " +
                            (directory_ / "run").string();
    ASSERT_EQ(mho(run), 0) << err();
    ASSERT_EQ(mho(run + " --resume"), 0) << err();
    std::string images = contents(data / "train-images-idx3-ubyte");
    images[16 + 20] ^= 1;  // behind the header: a pixel of the first image
    std::ofstream(data / "train-images-idx3-ubyte", std::ios::binary) << images;
    EXPECT_EQ(mho(run + " --resume"), 2);
    EXPECT_NE(err().find("images or labels"), std::string::npos) << err();
}

TEST_F(Sweep, stopped_within_its_baseline_it_keeps_none_of_it) {
    const Devices devices = open_devices("cpu");
    const Config config = parse_config("[model]\nfile = \"digits_cnn\"\n", "test");
    const Workload workload(devices, config);
    const auto program = devices[0]->load(lower_digital(prepare_network(workload.network(), config)));
    std::atomic<bool> stop = false;
    const std::vector<DeviceShare> shares{{*program, workload.test_images()}};
    const Workers workers{1, 10, &stop, [&](int64_t) { stop = true; }, {}};
    EXPECT_FALSE(MonteCarlo(shares, 500, {}, workers, 0).nominal());
    const Workers undisturbed{1, 10, nullptr, {}, {}};
    EXPECT_EQ(MonteCarlo(shares, 500, {}, undisturbed, 0).nominal()->images, 500);
}

TEST_F(Sweep, stopped_before_its_first_chip_it_keeps_no_baseline_and_resume_makes_the_whole_run) {
    const Devices devices = open_devices("cpu");
    const Config config = parse_config(
        "[model]\nfile = \"digits_cnn\"\n[data]\nimages = 100\n[parameter]\nsigma = 0.1\n"
        "[monte_carlo]\nchips = 3\n",
        "test");
    std::atomic<bool> stop = true;
    SweepOptions options{.out = RunDirectory{directory_ / "stopped"}, .stop = &stop};
    const RunResult nothing = run_sweep(devices, config, options);
    EXPECT_FALSE(nothing.digital);
    EXPECT_TRUE(nothing.points[0].chips.empty());

    EXPECT_EQ(mho("report " + options.out->path.string()), 0) << err();
    EXPECT_NE(out().find("digital: not finished"), std::string::npos) << out();
    EXPECT_NE(contents(options.out->path / "results.json").find("\"digital\": null"), std::string::npos);
    EXPECT_EQ(contents(options.out->path / "report.html").find("<svg"), std::string::npos);

    stop = false;
    options.out->resume = true;
    const RunResult resumed = run_sweep(devices, config, options);
    options = {.out = RunDirectory{directory_ / "whole"}};
    const RunResult whole = run_sweep(devices, config, options);
    ASSERT_TRUE(resumed.digital);
    EXPECT_EQ(resumed.digital, whole.digital);
    EXPECT_EQ(chips_csv(resumed), chips_csv(whole));
}

/// The program as a library: no directory, no file, nothing on stderr, and the chips of the command.
TEST_F(Sweep, as_a_call_returns_the_chips_of_the_command_and_writes_nothing) {
    std::ofstream(directory_ / "crossbar.toml") << kCrossbar;
    const std::vector<std::string> few{"data.images=9", "data.calibration_images=8", "monte_carlo.chips=3"};
    std::string set;
    for (const std::string& key : few) set += " --set " + key;
    ASSERT_EQ(mho("sweep " + (directory_ / "crossbar.toml").string() + set + " --quiet --out " +
                  (directory_ / "command").string()),
              0)
        << err();
    EXPECT_EQ(err(), "") << "--quiet";

    const fs::path before = fs::current_path(), empty = directory_ / "empty";
    fs::create_directory(empty);
    fs::current_path(empty);
    std::vector<RunProgress> told;
    ::testing::internal::CaptureStderr();
    ::testing::internal::CaptureStdout();
    const Devices devices = open_devices("cpu");
    const Config config = parse_config(kCrossbar, "text", few);
    const RunResult run =
        run_sweep(devices, config,
                  {.threads = 2, .progress = [&](const RunProgress& progress) { told.push_back(progress); }});
    EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
    fs::current_path(before);
    EXPECT_TRUE(fs::is_empty(empty));

    const RunResult command = Store::open(directory_ / "command").result();
    EXPECT_EQ(run.digital, command.digital);
    EXPECT_EQ(chips_csv(run), chips("command"));
    EXPECT_EQ(run.info.config_sha256, command.info.config_sha256);
    EXPECT_EQ(run.info.data_sha256, command.info.data_sha256);
    const auto count = [&](RunProgress::Event event) {
        return std::count_if(told.begin(), told.end(), [&](const auto& p) { return p.event == event; });
    };
    EXPECT_EQ(count(RunProgress::Event::point_begins), 2);
    EXPECT_EQ(count(RunProgress::Event::chip_finished), 6);
    ASSERT_FALSE(told.empty());
    const RunProgress& last = told.back();
    EXPECT_EQ(last.event, RunProgress::Event::point_ends);
    EXPECT_EQ(last.chips, 6);
    EXPECT_EQ(last.of, 6);
    EXPECT_EQ(last.images_in_flight, 0);
    EXPECT_EQ(last.point, "device.sigma = 0.1");
    EXPECT_EQ(last.top1->mean, summarise(right_images(run.points[1].chips), 0.95).mean);
}

TEST_F(Sweep, stops_a_point_once_its_interval_is_narrow) {
    ASSERT_EQ(
        sweep("narrow", "--set monte_carlo.chips=200 --set monte_carlo.until=0.02 --set data.images=100"), 0)
        << err();
    const RunResult run = Store::open(directory_ / "narrow").result();
    EXPECT_EQ(run.points[0].chips.size(), 20u);   // no spread at all
    EXPECT_GT(run.points[10].chips.size(), 20u);  // a spread of several percent
    for (const PointResult& point : run.points)
        EXPECT_TRUE(is_checkpoint(static_cast<int64_t>(point.chips.size())) || point.chips.size() == 200u);
    const std::string before = chips("narrow");
    ASSERT_EQ(
        sweep("narrow",
              "--resume --set monte_carlo.chips=200 --set monte_carlo.until=0.02 --set data.images=100"),
        0)
        << err();
    EXPECT_EQ(chips("narrow"), before);
}

TEST_F(Sweep, a_report_is_one_file_with_plots_the_config_and_the_command) {
    ASSERT_EQ(sweep("run", "--per-layer --set data.images=50"), 0) << err();
    const std::string page = contents(directory_ / "run" / "report.html");
    for (const char* part : {"<svg", "Accuracy against parameter.sigma", "Accuracy lost by each layer alone",
                             "Yield", "mho sweep", "[parameter]", "sigma"})
        EXPECT_NE(page.find(part), std::string::npos) << part;
    EXPECT_EQ(page.find("<script"), std::string::npos);
    for (size_t at = page.find("href"); at != std::string::npos; at = page.find("href", at + 1))
        EXPECT_EQ(page.substr(at, 7), "href='#");  // nothing from elsewhere
    fs::remove(directory_ / "run" / "report.html");
    EXPECT_EQ(mho("report " + (directory_ / "run").string()), 0) << err();
    EXPECT_TRUE(contents(directory_ / "run" / "report.html") == page);
    EXPECT_EQ(mho("report " + (directory_ / "nowhere").string()), 2);
}

TEST_F(Sweep, the_resolved_config_asks_for_the_same_run) {
    ASSERT_EQ(sweep("first", "--set monte_carlo.seed=9"), 0) << err();
    ASSERT_EQ(mho("sweep " + (directory_ / "first" / "config.toml").string() + " --out " +
                  (directory_ / "again").string()),
              0)
        << err();
    EXPECT_EQ(chips("first"), chips("again"));
}

TEST_F(Sweep, bad_files_name_themselves_and_exit_with_2) {
    const auto file = [&](const std::string& name, const std::string& bytes) {
        std::ofstream(directory_ / name, std::ios::binary) << bytes;
        return (directory_ / name).string();
    };
    const std::string zoo = contents(MHO_SOURCE_DIR "/models/zoo/digits_cnn.onnx");
    const std::string digits = contents(MHO_SOURCE_DIR "/data/digits/test-images-idx3-ubyte");
    const std::string truncated = file("truncated.onnx", zoo.substr(0, zoo.size() / 2));
    std::string unsupported = zoo;
    for (size_t at = 0; (at = unsupported.find("\x04Relu", at)) != std::string::npos; ++at)
        unsupported.replace(at + 1, 4, "Rulu");
    file("unsupported.onnx", unsupported);
    for (const char* set : {"wrong_magic", "wrong_labels", "short"}) {
        fs::create_directories(directory_ / set);
        for (const char* part : {"test-images-idx3-ubyte", "test-labels-idx1-ubyte",
                                 "train-images-idx3-ubyte", "train-labels-idx1-ubyte"})
            fs::copy(fs::path(MHO_SOURCE_DIR "/data/digits") / part, directory_ / set / part);
    }
    file("wrong_magic/test-images-idx3-ubyte", "\x01\x02\x03\x04" + digits.substr(4));
    file("wrong_labels/test-labels-idx1-ubyte",
         contents(MHO_SOURCE_DIR "/data/digits/train-labels-idx1-ubyte"));
    file("short/test-images-idx3-ubyte", digits.substr(0, 1000));
    fs::create_directories(directory_ / "cifar");
    file("cifar/test.bin", "too short");
    file("cifar/train.bin", "too short");
    fs::create_directories(directory_ / "other");
    file("other/notes.txt", "mine");
    fs::create_directories(directory_ / "corrupt");
    file("corrupt/run.sqlite", "this is no database, whatever its name says");
    const std::string here = directory_.string();
    const std::pair<std::string, const char*> cases[] = {
        {"--set model.file=" + truncated, "truncated.onnx"},
        {"--set model.file=" + here + "/unsupported.onnx", "operator Rulu is not supported"},
        {"--set model.file=" + here + "/missing.onnx", "missing.onnx"},
        {"--set data.directory=" + here + "/wrong_magic", "test-images-idx3-ubyte"},
        {"--set data.directory=" + here + "/wrong_labels", "labels"},
        {"--set data.directory=" + here + "/short", "test-images-idx3-ubyte"},
        {"--set data.name=cifar-100 --set data.directory=" + here + "/cifar", "test.bin"},
        {"--set data.directory=" + here + "/nowhere", "nowhere"},
        {"--out " + here + "/other", "holds other files"},
        {"--out " + here + "/corrupt", "run.sqlite"},
        {"--out /proc/nothing/run", "/proc/nothing/run"},
    };
    for (const auto& [option, expected] : cases) {
        const std::string out = option.find("--out") == std::string::npos ? " --out " + here + "/bad " : " ";
        EXPECT_EQ(
            mho("sweep " MHO_SOURCE_DIR "/examples/digits.toml --set monte_carlo.chips=2" + out + option), 2)
            << option;
        EXPECT_NE(err().find(expected), std::string::npos) << option << ": " << err();
        EXPECT_EQ(err().find("terminate"), std::string::npos) << err();
    }
    EXPECT_EQ(contents(directory_ / "other" / "notes.txt"), "mine");
    EXPECT_EQ(contents(directory_ / "corrupt" / "run.sqlite"), "this is no database, whatever its name says");
}

TEST_F(Sweep, a_disk_that_fills_up_fails_the_run_and_loses_no_chip) {
    // A small file system of its own needs root; without it there is nothing to try.
    const fs::path disk = directory_ / "disk";
    fs::create_directory(disk);
    if (std::system(("mount -t tmpfs -o size=96k none " + disk.string() + " 2>/dev/null").c_str()) != 0)
        GTEST_SKIP() << "no right to mount";
    const int code = mho("sweep " MHO_SOURCE_DIR
                         "/examples/digits.toml --set monte_carlo.chips=400 --set data.images=2 --out " +
                         (disk / "run").string());
    const std::string message = err();
    size_t kept = 0;
    for (const PointResult& point : Store::open(disk / "run").result().points) kept += point.chips.size();
    EXPECT_EQ(std::system(("mount -o remount,size=8m " + disk.string()).c_str()), 0);
    const int again =
        mho("sweep " MHO_SOURCE_DIR
            "/examples/digits.toml --set monte_carlo.chips=400 --set data.images=2 --resume --out " +
            (disk / "run").string());
    [[maybe_unused]] const int unmounted = std::system(("umount " + disk.string()).c_str());
    EXPECT_EQ(code, 1) << message;
    EXPECT_NE(message.find("full"), std::string::npos) << message;
    EXPECT_NE(message.find("--resume"), std::string::npos) << message;
    EXPECT_GT(kept, 0u);
    EXPECT_EQ(again, 0) << err();
}

#if !defined(MHO_SANITIZED)  // sanitizers take their memory in advance
TEST_F(Sweep, too_little_memory_is_said_so) {
    std::ofstream(directory_ / "large.toml")
        << "[model]\nfile = \"digits_cnn\"\n[chip]\nlevel = \"crossbar\"\n[adc]\nrange = \"calibrated\"\n"
           "granularity = \"column\"\n[crossbar]\ncell_bits = 1\n";  // a histogram of 2^16 bins for every
                                                                     // column
    const std::string command = "bash -c 'ulimit -v 300000; exec " MHO_BINARY " sweep " +
                                (directory_ / "large.toml").string() + " --threads 2 --out " +
                                (directory_ / "run").string() + "' >/dev/null 2>" +
                                (directory_ / "err").string();
    const int code = WEXITSTATUS(std::system(command.c_str()));
    EXPECT_EQ(code, 1) << err();
    EXPECT_NE(err().find("memory"), std::string::npos) << err();
    EXPECT_NE(err().find("monte_carlo.batch"), std::string::npos) << err();
    const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (20000, 1, 8, 8), }";
    std::ofstream(directory_ / "x.npy", std::ios::binary)
        << std::string("\x93NUMPY\x01\x00\x76\x00", 10) << header << std::string(117 - header.size(), ' ')
        << "\n"
        << std::string(20000 * 64 * 4, '\0');
    const std::string infer = "bash -c 'ulimit -v 200000; exec " MHO_BINARY
                              " infer digits_cnn --batch 20000 --input " +
                              (directory_ / "x.npy").string() + " --out " + (directory_ / "y.npy").string() +
                              "' 2>" + (directory_ / "err").string();
    EXPECT_EQ(WEXITSTATUS(std::system(infer.c_str())), 1) << err();
    EXPECT_NE(err().find("--batch"), std::string::npos) << err();
    EXPECT_EQ(err().find("--resume"), std::string::npos) << err();
}
#endif

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
        {"--set model.file=digits_cn", "digits_cnn"},
        {"--set data.name=digit", "digits"},
        {"--set data.images=100000", "500"},
        {"--set chip.relu_levels=1", "at least 2"},
        {"--set model.file=wrn16_2_cifar100", "takes images of"},
        {"--set nonsense", "key=value"},
        {"--backend cuda", "--backend cpu or auto goes on without"},
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
    EXPECT_EQ(mho("layers digits_cnn --set crossbar.cell_bits=2 --set crossbar.rows=128"), 0) << err();
    // 10 x 512 weights of four slices and two polarities, on arrays of 128 rows.
    EXPECT_TRUE(std::regex_search(
        out(), std::regex("/7/Gemm +Linear +10 x 512 +5120 +5120 +32 +40960  7, 7.weight\n")))
        << out();
    EXPECT_EQ(mho("layers " MHO_SOURCE_DIR "/examples/digits_crossbar.toml"), 0) << err();
    EXPECT_TRUE(std::regex_search(out(), std::regex("3 layers +9872 +88064 "))) << out();
    EXPECT_EQ(mho("sweeep"), 2);
    EXPECT_NE(err().find("sweeep is no subcommand (did you mean \"sweep\"?)"), std::string::npos) << err();
    EXPECT_NE(err().find("models"), std::string::npos) << err();
    EXPECT_EQ(mho(""), 2);
}

TEST_F(Sweep, output_that_does_not_arrive_is_a_failure) {
    ASSERT_EQ(sweep("run"), 0) << err();
    for (const std::string& command : std::vector<std::string>{
             "models", "info", "--help", "report " + (directory_ / "run").string(),
             "sweep " MHO_SOURCE_DIR "/examples/digits.toml --set monte_carlo.chips=4 --resume --out " +
                 (directory_ / "run").string()}) {
        const std::string to_full =
            MHO_BINARY " " + command + " >/dev/full 2>" + (directory_ / "err").string();
        EXPECT_EQ(WEXITSTATUS(std::system(to_full.c_str())), 1) << command;
        EXPECT_NE(err().find("stdout"), std::string::npos) << command << ": " << err();
    }
}

TEST_F(Sweep, odd_names_of_directories) {
    const std::string few =
        "sweep " MHO_SOURCE_DIR "/examples/digits.toml --set monte_carlo.chips=1 --set data.images=5 --out ";
    ASSERT_EQ(mho(few + (directory_ / "slash").string() + "/"), 0) << err();
    EXPECT_EQ(out().find("//"), std::string::npos) << out();
    EXPECT_EQ(Store::open(directory_ / "slash").info().command,
              "mho sweep config.toml --out " + (directory_ / "slash-again").string());
    EXPECT_EQ(mho(few + "$(printf '" + (directory_ / "q").string() + "\\377')"), 0) << err();
    const std::string long_name = (directory_ / std::string(300, 'x')).string();
    for (const std::string& command : std::vector<std::string>{
             few + long_name, "report " + long_name,
             "probe " MHO_SOURCE_DIR "/examples/digits.toml --layer /3/Conv --out " + long_name}) {
        EXPECT_EQ(mho(command), 2) << command;
        EXPECT_NE(err().find("too long"), std::string::npos) << err();
        EXPECT_EQ(err().find("--threads"), std::string::npos) << err();
    }
}

TEST_F(Sweep, probe_says_which_point_it_opens_and_overwrites_nothing) {
    const std::string out = (directory_ / "probed").string();
    const std::string probe =
        "probe " MHO_SOURCE_DIR "/examples/digits.toml --layer /3/Conv --out " + out + " ";
    ASSERT_EQ(mho(probe), 0) << err();
    EXPECT_NE(err().find("parameter.sigma"), std::string::npos) << err();
    EXPECT_NE(err().find("--set"), std::string::npos) << err();
    const std::string layout = contents(fs::path(out) / "layout.json");
    EXPECT_EQ(mho(probe + "--chip 5"), 2);
    EXPECT_NE(err().find("holds other files"), std::string::npos) << err();
    EXPECT_EQ(contents(fs::path(out) / "layout.json"), layout);

    fs::remove_all(out);
    ASSERT_EQ(mho(probe + "--set parameter.sigma=0.1"), 0) << err();
    EXPECT_EQ(err(), "");

    std::ofstream(directory_ / "layers.toml")
        << "[model]\nfile = \"digits_cnn\"\n[[layer]]\nmatch = \"nope\"\ndigital = true\n";
    EXPECT_EQ(mho("probe " + (directory_ / "layers.toml").string() + " --layer /3/Conv --out " +
                  (directory_ / "unmatched").string()),
              2);
    EXPECT_NE(err().find("matches no layer"), std::string::npos) << err();
    EXPECT_FALSE(fs::exists(directory_ / "unmatched"));
}

}  // namespace
}  // namespace mho
