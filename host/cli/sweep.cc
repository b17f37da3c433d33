// host/cli/sweep.cc - `mho sweep`: accuracy over sampled chips at every point of a sweep.
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

#include "host/cli/commands.h"
#include "host/config/read.h"
#include "host/results/store.h"
#include "host/run/sweep.h"
#include "host/util/output.h"
#include "kernels/base/error.h"

namespace mho::cli {
namespace {

std::atomic<bool> interrupted = false;
std::atomic<int> interrupting = 0;  // the signal

/// The first signal ends the run once every thread is done with its layer; the second one ends it at once.
/// Nothing here but what a signal handler may call.
void on_interrupt(int signal) {
    const int error = errno;
    if (interrupting.exchange(signal) != 0) {
        std::signal(signal, SIG_DFL);
        std::raise(signal);
        return;
    }
    interrupted = true;
    constexpr char kText[] =
        "\nmho: stopping when every thread is done with the layer that it is at; chips in flight are "
        "dropped, "
        "finished ones are kept. Once more ends it at once\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText, sizeof(kText) - 1);
    errno = error;
}

struct SweepCommand {
    ConfigOptions config;
    MachineOptions machine;
    std::string out;
    bool resume = false, per_layer = false;
};

/// For a shell.
std::string quoted(const std::string& word) {
    constexpr char kPlain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=.,:/@%";
    if (word.find_first_not_of(kPlain) == std::string::npos) return word;
    std::string text = "'";
    for (char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

std::string reproducing_command(const SweepCommand& o) {
    std::string command = "mho sweep config.toml";
    if (o.per_layer) command += " --per-layer";
    return command + " --out " + quoted(o.out + "-again");
}

void run_sweep(SweepCommand& o) {
    for (int signal : {SIGINT, SIGTERM, SIGHUP})
        if (std::signal(signal, on_interrupt) == SIG_IGN)
            std::signal(signal, SIG_IGN);  // nohup, or a shell's &
    const Config config = read_config(o.config);
    o.out = without_slash(o.out);
    const Devices devices = open_devices(o.machine.backend);
    ProgressLine line(stderr_screen());
    DirectoryLock lock;
    SweepOptions options;
    options.out = RunDirectory{o.out, o.resume, &lock};
    options.per_layer = o.per_layer;
    options.threads = thread_count(o.machine, devices);
    options.command = reproducing_command(o);
    if (o.resume && Store::is_empty(o.out))
        say_note(fmt::format(
            "--resume: the store of {} is empty: there is nothing to go on with, the run begins anew",
            o.out));
    if (!o.machine.quiet) options.progress = [&line](const RunProgress& progress) { line.show(progress); };
    options.stop = &interrupted;
    const RunResult result = run_sweep(devices, config, options);
    write_results(o.out, result);
    try {
        print_results(o.out, result);
    } catch (const std::system_error&) {  // a terminal that was closed takes no more
        if (!interrupted) throw;
    }
    if (interrupted)
        throw Interrupted(
            interrupting,
            fmt::format("interrupted; finished chips are in {}: the same command with --resume goes on",
                        o.out));
}

}  // namespace

void add_sweep(CLI::App& app) {
    CLI::App* command =
        app.add_subcommand("sweep", "Accuracy of a network over sampled chips, at every point of a sweep");
    auto options = std::make_shared<SweepCommand>();
    add_options(*command, options->config);
    add_options(*command, options->machine);
    command->add_option("--out", options->out, "Directory for the store and the results")->required();
    command->add_flag("--resume", options->resume,
                      "Go on with the run in --out; monte_carlo.chips, until, confidence and batch may be "
                      "others than before");
    command->add_flag("--per-layer", options->per_layer,
                      "Also each analog layer noisy alone: which one loses most");
    command->callback([options] { run_sweep(*options); });
}

}  // namespace mho::cli
