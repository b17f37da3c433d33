// models/resources.cc - looks for mho's own files beside the program, below the prefix and in the source
// tree.
#include "models/resources.h"

#include <system_error>

namespace mho {

std::vector<std::filesystem::path> resource_roots() {
    std::vector<std::filesystem::path> roots;
    std::error_code unreadable;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", unreadable);
    if (!unreadable) roots.push_back(program.parent_path().parent_path() / "share/mho");
    roots.emplace_back(MHO_SOURCE_RESOURCES);
    roots.emplace_back(MHO_INSTALLED_RESOURCES);
    return roots;
}

std::filesystem::path find_resource(const std::filesystem::path& relative) {
    std::error_code ignored;  // a folder that may not be read holds nothing for us
    for (const auto& root : resource_roots())
        if (std::filesystem::exists(root / relative, ignored)) return root / relative;
    return {};
}

}  // namespace mho
