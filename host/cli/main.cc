// host/cli/main.cc - mho SUBCOMMAND: parses the command line, turns failures into exit codes.
// 0 done, 1 a failure while running, 2 the user's input is wrong. stdout carries results only.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <new>
#include <system_error>

#include "host/cli/commands.h"
#include "host/util/version.h"
#include "kernels/base/error.h"
#include "models/names.h"

namespace {

/// A closed stream's number would go to the next file that is opened, and what is printed into that file:
/// held by what cannot be written to.
void hold_closed_streams() {
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream)
        if (::fcntl(stream, F_GETFD) < 0) [[maybe_unused]]
            const int held = ::open("/dev/null", O_RDONLY);  // the lowest free number: this one
}

/// Where stderr is closed nobody reads why, but the exit code stays.
int fail(int code, const std::string& message) {
    std::fputs(("mho: " + message + "\n").c_str(), stderr);
    return code;
}

/// What was printed must have arrived: a full disk shows only when stdout is flushed.
int finish() {
    std::cout.flush();
    if (std::fflush(stdout) != 0 || std::ferror(stdout) || !std::cout)
        return fail(1, fmt::format("stdout cannot be written: {}", std::strerror(errno)));
    return 0;
}

std::vector<std::string> names_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
    return names;
}

/// What CLI11 would call an argument too many.
std::string unknown_subcommand(const CLI::App& app, const std::string& word) {
    const std::vector<std::string> names = names_of(app);
    if (word.empty() || word[0] == '-' || std::find(names.begin(), names.end(), word) != names.end())
        return "";
    return fmt::format("{} is no subcommand{}; there are {}", word, mho::did_you_mean(word, names),
                       mho::joined(names));
}

std::string out_of_memory(const CLI::App& app) {
    if (app.got_subcommand("sweep"))
        return "out of memory: ask for fewer --threads or a smaller monte_carlo.batch; finished chips are "
               "kept, and "
               "--resume goes on with them. Fewer data.calibration_images or a coarser adc.granularity take "
               "less "
               "too, but are another run: they need another --out";
    if (app.got_subcommand("probe"))
        return "out of memory: ask for fewer --threads, fewer data.calibration_images or a coarser "
               "adc.granularity";
    if (app.got_subcommand("infer")) return "out of memory: ask for a smaller --batch, or give fewer images";
    return "out of memory";
}

/// A thread that cannot be made is the one failure of the system with a remedy of its own.
std::string system_failure(const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again)
        return fmt::format("the system refuses a thread ({}): ask for fewer --threads", error.what());
    return error.what();
}

}  // namespace

int main(int argc, char** argv) {
    hold_closed_streams();
    CLI::App app("mho: how accurate is a neural network on analog compute-in-memory chips?");
    app.set_version_flag("--version", mho::kVersion);
    app.require_subcommand(1);
    mho::cli::add_sweep(app);
    mho::cli::add_infer(app);
    mho::cli::add_probe(app);
    mho::cli::add_report(app);
    mho::cli::add_models(app);
    mho::cli::add_layers(app);
    mho::cli::add_info(app);
    if (const std::string wrong = argc > 1 ? unknown_subcommand(app, argv[1]) : ""; !wrong.empty())
        return fail(2, wrong);
    try {
        app.parse(argc, argv);  // the chosen subcommand runs as its callback
    } catch (const CLI::Success& success) {
        app.exit(success);  // --help, --version
    } catch (const CLI::ParseError& error) {
        return fail(2, fmt::format("{}\nRun mho --help, or mho SUBCOMMAND --help.", error.what()));
    } catch (const mho::InputError& error) {
        return fail(2, error.what());
    } catch (const std::bad_alloc&) {
        return fail(1, out_of_memory(app));
    } catch (const std::system_error& error) {
        return fail(1, system_failure(error));
    } catch (const mho::cli::Interrupted& interrupted) {
        return fail(128 + interrupted.signal, interrupted.what());
    } catch (const mho::DeviceError& error) {
        return fail(
            1, fmt::format("{}; finished chips are kept, and --resume goes on. MHO_SYNC_CHECKS=1 shows in "
                           "which kernel it was; --backend cpu works without a GPU",
                           error.what()));
    } catch (const std::exception& error) {
        return fail(1, error.what());
    }
    return finish();
}
