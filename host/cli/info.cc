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
    command->callback([] {
        fmt::print("mho       {}\n", kVersion);
        fmt::print("build     {}, {}\n", kBuildType, kCompiler);
        fmt::print("threads   {}\n", available_threads());
        fmt::print("cpu       {}\n", make_cpu_backend()->description());
        fmt::print("cuda      not in this build\n");
        fmt::print("operators {}\n", joined(supported_onnx_operators()));
    });
}

}  // namespace mho::cli
