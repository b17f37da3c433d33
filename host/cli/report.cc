// host/cli/report.cc - `mho report`: results and plots again from a stored run.
#include "host/results/report.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/cli/commands.h"
#include "host/results/results.h"
#include "host/results/store.h"
#include "host/results/tables.h"
#include "host/util/output.h"

namespace mho::cli {

void write_results(const std::string& directory, const RunResult& run) {
    write_file(directory, "results.json", results_json(run));
    write_file(directory, "chips.csv", chips_csv(run));
    write_file(directory, "report.html", report_html(run));
}

void print_results(const std::string& directory, const RunResult& run) {
    winsize size{};
    const bool terminal =
        isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    const std::string findings = findings_text(run),
                      table = terminal ? points_table(run, size.ws_col) : points_table(run);
    fmt::print("{}\n{}{}{}/report.html\n", table, findings, findings.empty() ? "" : "\n", directory);
}

void add_report(CLI::App& app) {
    CLI::App* command =
        app.add_subcommand("report", "results.json, chips.csv and report.html again from a stored run");
    auto directory = std::make_shared<std::string>();
    command->add_option("RUN", *directory, "Directory of a run: the --out of mho sweep")->required();
    command->callback([directory] {
        *directory = without_slash(*directory);
        std::error_code error;
        const bool there = std::filesystem::exists(*directory, error);  // whoever opens it says what is wrong
        const DirectoryLock lock = there ? DirectoryLock(*directory) : DirectoryLock();
        const RunResult run = Store::open(*directory).result();
        write_results(*directory, run);
        print_results(*directory, run);
    });
}

}  // namespace mho::cli
