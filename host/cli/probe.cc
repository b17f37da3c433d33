// host/cli/probe.cc - `mho probe`: one layer of one chip opened up.
#include "host/probe.h"

#include <fmt/format.h>

#include "host/cli/commands.h"
#include "host/config.h"

namespace mho::cli {
namespace {

struct Options {
    ConfigOptions config;
    MachineOptions machine;
    ProbeOptions probe;
    std::string out;
};

void run(Options& o) {
    const Config config = read_config(o.config);
    o.probe.threads = thread_count(o.machine);
    o.probe.out = o.out;
    probe(*open_backend(o.machine), config, o.probe);
    fmt::print("{}: layer {}, chip {}, image {}; layout.json says what each array is\n", o.out, o.probe.layer,
               o.probe.chip, o.probe.image);
}

}  // namespace

void add_probe(CLI::App& app) {
    CLI::App* command = app.add_subcommand("probe", "One layer of one chip opened up: its arrays for NumPy");
    auto options = std::make_shared<Options>();
    add_options(*command, options->config);
    add_options(*command, options->machine);
    command->add_option("--layer", options->probe.layer, "Name of a convolution or linear layer")->required();
    command->add_option("--chip", options->probe.chip, "Number of the chip")->capture_default_str();
    command->add_option("--image", options->probe.image, "Number of the test image")->capture_default_str();
    command->add_option("--out", options->out, "Directory for the arrays")->required();
    command->callback([options] { run(*options); });
}

}  // namespace mho::cli
