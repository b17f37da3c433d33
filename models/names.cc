// models/names.cc - edit distance between names; names with a number where they are taken.
#include "models/names.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace mho {
namespace {

char lower(char letter) { return static_cast<char>(std::tolower(static_cast<unsigned char>(letter))); }

/// Levenshtein's distance, one row of the table at a time.
size_t edits(std::string_view a, std::string_view b) {
    std::vector<size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 1; i <= a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            const size_t replaced = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row[b.size()];
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
    constexpr size_t longest = 256;  // nobody mistypes a name this long: bounds the work on hostile input
    if (name.size() > longest) return "";
    size_t fewest = std::max<size_t>(2, name.size() / 3) + 1;
    std::string nearest;
    for (const std::string& candidate : known) {
        const size_t distance = edits(name, candidate);
        if (distance >= fewest) continue;
        fewest = distance;
        nearest = candidate;
    }
    return nearest;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known) {
    const std::string nearest = nearest_name(name, known);
    return nearest.empty() ? "" : " (did you mean \"" + nearest + "\"?)";
}

std::string joined(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    return list;
}

std::string UniqueNames::unique(const std::string& wanted) {
    std::string name = wanted;
    while (!taken_.insert(name).second) {
        int& number = next_.try_emplace(wanted, 2).first->second;
        name = wanted + "_" + std::to_string(number++);
    }
    return name;
}

}  // namespace mho
