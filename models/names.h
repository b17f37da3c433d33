// models/names.h - "did you mean": the nearest known name to one that was mistyped, for error messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mho {

/// The entry of `known` with the fewest edits (insert, delete, replace a letter; letter case is free) to
/// `name`, or "" where even that one takes more than a third of the name's letters (at least 2). The first of
/// equally near entries is taken.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

/// " (did you mean "X"?)" for the nearest name, or "" where none is near. To be put right after what was
/// found.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& known);

/// The names as "a, b, c".
std::string joined(const std::vector<std::string>& names);

}  // namespace mho
