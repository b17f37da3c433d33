// host/cli/common.cc - options that several subcommands share.
#include <fmt/format.h>

#include <cstdio>

#include "host/cli/commands.h"
#include "kernels/base/error.h"

namespace mho::cli {

void add_set_option(CLI::App& command, std::vector<std::string>& set, const std::string& help) {
    command.add_option("--set", set, help)
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_options(CLI::App& command, ConfigOptions& options) {
    command.add_option("CONFIG", options.config, "Config file (TOML)")->required();
    add_set_option(command, options.set, "key=value: overrides the config file; repeatable");
    command.add_option("--seed", options.seed, "Seed of all chips; the same as --set monte_carlo.seed=");
}

void add_options(CLI::App& command, MachineOptions& options) {
    command
        .add_option("--backend", options.backend,
                    "auto, cpu or cuda (auto: every GPU that answers, else the CPU)")
        ->capture_default_str();
    command
        .add_option("--threads", options.threads,
                    "Threads, on GPUs for each of them; 0: every processor this process may use, or what "
                    "keeps a GPU busy")
        ->capture_default_str()
        ->check(CLI::Range(0, 4096));
    command.add_flag("--quiet", options.quiet, "No progress on stderr");
}

Config read_config(const ConfigOptions& options) {
    std::vector<std::string> set = options.set;
    if (options.seed) set.push_back(fmt::format("monte_carlo.seed={}", *options.seed));
    Config config = mho::read_config(options.config, set);
    for (const std::string& notice : config.notices) say_note(notice);
    return config;
}

void say_note(const std::string& text) { std::fputs(("note: " + text + "\n").c_str(), stderr); }

std::string without_slash(std::string directory) {
    while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
    return directory;
}

int thread_count(const MachineOptions& options, const Devices& devices) {
    return options.threads > 0 ? options.threads : devices[0]->busy_streams();
}

}  // namespace mho::cli
