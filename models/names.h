// models/names.h - names: "did you mean" for error messages, and names that nothing else has.
#pragma once

#include <map>
#include <set>
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

/// Names of one kind of thing, each given once.
class UniqueNames {
  public:
    /// `wanted`, or where that is taken, the first free one of wanted_2, wanted_3, ...
    std::string unique(const std::string& wanted);
    /// Takes `name`, whether it was free or not.
    void reserve(const std::string& name) { taken_.insert(name); }

  private:
    std::set<std::string> taken_;
    std::map<std::string, int> next_;  // number to try first, of names that were wanted twice
};

}  // namespace mho
