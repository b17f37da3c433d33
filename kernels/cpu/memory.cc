#include "kernels/cpu/memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace mho::cpu {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

/// The number alone in a file; nothing where there is none ("max" is none).
std::optional<int64_t> number_in(const std::filesystem::path& file) {
    std::ifstream in(file);
    int64_t number = 0;
    if (in >> number) return number;
    return std::nullopt;
}

/// The number after `name` in a file of lines "name number".
std::optional<int64_t> number_after(const std::filesystem::path& file, const std::string& name) {
    std::ifstream in(file);
    std::string word;
    while (in >> word)
        if (int64_t number = 0; word == name && in >> number) return number;
    return std::nullopt;
}

/// What a control group leaves: its cached files can be dropped.
int64_t left_in_group(const std::filesystem::path& folder, const char* limit_file, const char* usage_file) {
    const std::optional<int64_t> limit = number_in(folder / limit_file),
                                 usage = number_in(folder / usage_file);
    if (!limit || !usage) return kNoLimit;
    const std::filesystem::path parts = folder / "memory.stat";
    const int64_t cached = number_after(parts, "inactive_file").value_or(0);
    return std::max<int64_t>(0, *limit - (*usage - cached));
}

}  // namespace

int64_t available_memory(const std::filesystem::path& root) {
    const std::filesystem::path groups = root / "sys/fs/cgroup";
    const std::optional<int64_t> kib = number_after(root / "proc/meminfo", "MemAvailable:");
    return std::min({kib ? *kib * 1024 : kNoLimit, left_in_group(groups, "memory.max", "memory.current"),
                     left_in_group(groups / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes")});
}

}  // namespace mho::cpu
