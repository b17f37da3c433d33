// host/cli/main.cc - mho SUBCOMMAND: parses the command line, turns failures into exit codes.
// 0 done, 1 a failure while running, 2 the user's input is wrong. stdout carries results only.
#include <fmt/format.h>

#include <exception>
#include <new>
#include <system_error>

#include "host/cli/commands.h"
#include "host/version.h"
#include "kernels/error.h"

namespace {

int fail(int code, const std::string& message) {
    fmt::print(stderr, "mho: {}\n", message);
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("mho: how accurate is a neural network on analog compute-in-memory chips?");
    app.set_version_flag("--version", mho::kVersion);
    app.require_subcommand(1);
    mho::cli::add_sweep(app);
    mho::cli::add_infer(app);
    mho::cli::add_probe(app);
    mho::cli::add_report(app);
    mho::cli::add_models(app);
    mho::cli::add_info(app);
    try {
        app.parse(argc, argv);  // the chosen subcommand runs as its callback
    } catch (const CLI::Success& success) {
        return app.exit(success);  // --help, --version
    } catch (const CLI::ParseError& error) {
        return fail(2, fmt::format("{}\nRun mho --help, or mho SUBCOMMAND --help.", error.what()));
    } catch (const mho::InputError& error) {
        return fail(2, error.what());
    } catch (const std::bad_alloc&) {
        return fail(1,
                    "out of memory: ask for fewer --threads, a smaller monte_carlo.batch, fewer "
                    "data.calibration_images, or "
                    "a coarser adc.granularity; finished chips are kept, and --resume goes on");
    } catch (const std::system_error& error) {
        return fail(1, fmt::format("the system refuses ({}): ask for fewer --threads", error.what()));
    } catch (const std::exception& error) {
        return fail(1, error.what());
    }
    return 0;
}
