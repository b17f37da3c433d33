#include "host/results/gnuplot.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "kernels/base/error.h"

namespace mho {
namespace {

/// A file that goes when the object does.
class TemporaryFile {
  public:
    explicit TemporaryFile(const std::string& text) {
        path_ = (std::filesystem::temp_directory_path() / "mho_plot_XXXXXX").string();
        const int file = mkstemp(path_.data());
        const bool written =
            file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
        if (file >= 0) ::close(file);
        if (!written) throw RunError(fmt::format("{}: a plot cannot be prepared there (disk full?)", path_));
    }
    ~TemporaryFile() { std::remove(path_.c_str()); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    const std::string& path() const { return path_; }
    std::string read() const {
        std::ifstream stream(path_);
        return {std::istreambuf_iterator<char>(stream), {}};
    }

  private:
    std::string path_;
};

}  // namespace

std::optional<std::string> gnuplot_svg(const std::string& script, int width, int height) {
    const TemporaryFile file(
        fmt::format("set terminal svg size {},{} font 'sans-serif,12' background 'white'\n", width, height) +
        script);
    const TemporaryFile complaints("");
    const std::string command = fmt::format("gnuplot '{}' 2>'{}'", file.path(), complaints.path());
    FILE* pipe = popen(command.c_str(), "r");
    if (!pipe) return std::nullopt;
    std::string output;
    std::array<char, 4096> part;
    while (const size_t n = fread(part.data(), 1, part.size(), pipe)) output.append(part.data(), n);
    const int status = pclose(pipe);
    constexpr int kNotFound = 127;  // the shell's
    if (WIFEXITED(status) && WEXITSTATUS(status) == kNotFound) return std::nullopt;
    const size_t svg = output.find("<svg");
    if (status != 0 || svg == std::string::npos) throw RunError("gnuplot: " + complaints.read());
    return output.substr(svg);
}

}  // namespace mho
