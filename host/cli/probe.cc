// host/cli/probe.cc - `mho probe`: one layer of one chip opened up.
#include "host/run/probe.h"

#include <fmt/format.h>

#include "host/cli/commands.h"
#include "host/config/read.h"
#include "models/names.h"

namespace mho::cli {
namespace {

struct ProbeCommand {
    ConfigOptions config;
    MachineOptions machine;
    ProbeOptions probe;
    std::string out;
};

/// The keys that the config sweeps are not probed at any of their values.
void say_what_is_left_out(const Config& config) {
    if (config.sweep.empty()) return;
    std::vector<std::string> keys;
    for (const SweepAxis& axis : config.sweep) keys.push_back(axis.key);
    fmt::print(
        stderr,
        "mho: [sweep] is left out: {} as the other tables or the defaults have it; --set KEY=VALUE probes "
        "another point\n",
        joined(keys));
}

void run_probe(ProbeCommand& o) {
    const Config config = read_config(o.config);
    o.out = without_slash(o.out);
    if (!o.machine.quiet) say_what_is_left_out(config);
    const Devices devices = open_devices(o.machine.backend);
    o.probe.threads = thread_count(o.machine, devices);
    o.probe.out = o.out;
    probe(devices, config, o.probe);
    fmt::print("{}: layer {}, chip {}, image {}; layout.json says what each array is\n", o.out, o.probe.layer,
               o.probe.chip, o.probe.image);
}

}  // namespace

void add_probe(CLI::App& app) {
    CLI::App* command =
        app.add_subcommand("probe",
                           "One layer of one chip opened up: its arrays for NumPy. [sweep] is left "
                           "out: its keys stand as the other tables or the defaults have them, and "
                           "--set KEY=VALUE chooses the point of the sweep to probe");
    auto options = std::make_shared<ProbeCommand>();
    add_options(*command, options->config);
    add_options(*command, options->machine);
    command->add_option("--layer", options->probe.layer, "Name of a convolution or linear layer")->required();
    command->add_option("--chip", options->probe.chip, "Number of the chip")->capture_default_str();
    command->add_option("--image", options->probe.image, "Number of the test image")->capture_default_str();
    command->add_option("--out", options->out, "New or empty directory for the arrays")->required();
    command->callback([options] { run_probe(*options); });
}

}  // namespace mho::cli
