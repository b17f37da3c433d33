// models/resources.h - files that come with mho: data/digits, models/zoo, examples.
#pragma once

#include <filesystem>
#include <vector>

namespace mho {

/// Folders that may hold mho's own files, laid out as in the source tree, in the order of search: share/mho
/// beside the running program's bin/ (an installed mho, wherever it was moved to), the source tree (a build),
/// share/mho of the prefix that mho was configured for (a program that links the installed library).
std::vector<std::filesystem::path> resource_roots();

/// The first resource_roots() folder / `relative` that exists, or an empty path.
std::filesystem::path find_resource(const std::filesystem::path& relative);

}  // namespace mho
