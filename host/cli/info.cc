// host/cli/info.cc - `mho info`: what this build is and what it runs on.
#include <fmt/format.h>

#include "host/cli/commands.h"
#include "host/threads.h"
#include "host/version.h"
#include "models/names.h"
#include "models/onnx.h"

namespace mho::cli {

void add_info(CLI::App& app) {
    CLI::App* command = app.add_subcommand("info", "Version, build, processor and backends");
    auto config_table = std::make_shared<bool>(false);
    command->add_flag("--config-table", *config_table, "Only the table of every config key, as Markdown");
    command->callback([config_table] {
        if (*config_table) return fmt::print("{}", config_table_markdown());
        fmt::print("mho       {}\n", kVersion);
        fmt::print("build     {}, {}\n", kBuildType, kCompiler);
        fmt::print("threads   {}\n", available_threads());
        fmt::print("cpu       {}\n", make_cpu_backend()->description());
        fmt::print("cuda      not in this build\n");
        fmt::print("operators {}\n", joined(supported_onnx_operators()));
    });
}

}  // namespace mho::cli
