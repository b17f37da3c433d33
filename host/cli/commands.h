// host/cli/commands.h - the subcommands of mho, a file each. To add one: its file, its line here and in
// main.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/config/read.h"
#include "host/config/types.h"
#include "host/results/run.h"
#include "host/run/devices.h"
#include "kernels/base/error.h"

namespace mho::cli {

/// A run that a signal ended: exit 128 + signal, as a shell has it.
struct Interrupted : RunError {
    Interrupted(int which, const std::string& what) : RunError(what), signal(which) {}
    int signal;
};

/// Options that commands on a config share.
struct ConfigOptions {
    std::string config;            ///< file
    std::vector<std::string> set;  ///< key=value, each
    std::optional<uint64_t> seed;  ///< same as --set monte_carlo.seed=
};

/// Options about the machine.
struct MachineOptions {
    std::string backend = "auto";
    int threads = 0;  ///< a device; 0: as many as keep it busy
    bool quiet = false;
};

void add_options(CLI::App& command, ConfigOptions& options);
void add_options(CLI::App& command, MachineOptions& options);

/// --set, for commands that take no config.
void add_set_option(CLI::App& command, std::vector<std::string>& set, const std::string& help);
/// A line on stderr; nothing where that is closed.
void say_note(const std::string& text);

/// The config that the options ask for.
Config read_config(const ConfigOptions& options);
/// Threads for each of `devices`.
int thread_count(const MachineOptions& options, const Devices& devices);

/// A directory as it is shown and put together: "runs/" is "runs".
std::string without_slash(std::string directory);

/// results.json, chips.csv and report.html of a run, into its directory.
void write_results(const std::string& directory, const RunResult& run);
/// The table of points, what else was found and where the report lies, to stdout.
void print_results(const std::string& directory, const RunResult& run);

void add_sweep(CLI::App& app);
void add_infer(CLI::App& app);
void add_probe(CLI::App& app);
void add_report(CLI::App& app);
void add_models(CLI::App& app);
void add_layers(CLI::App& app);
void add_info(CLI::App& app);

}  // namespace mho::cli
