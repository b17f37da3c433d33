// host/results/store.h - run.sqlite: every finished chip in a transaction of its own, so a killed run loses
// only chips in flight.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "host/results/run.h"

struct sqlite3;

namespace mho {

class Store {
  public:
    /// Opens DIR/run.sqlite for a run, makes both where they are not there. With `resume`, a store of the
    /// same run goes on: same version, backend, deciding config, network and data; what else `info` asks for
    /// is taken over. Throws InputError where the directory holds another run, or this one without `resume`,
    /// or more chips than `info` asks for, or a store that is damaged; RunError where it cannot be written or
    /// another process has it open.
    static Store create(const std::filesystem::path& directory, const RunInfo& info, bool resume);
    /// Opens a stored run to read it; what a killed run left half written is undone. Throws InputError where
    /// there is none or it is damaged.
    static Store open(const std::filesystem::path& directory);

    Store(Store&&) noexcept;
    ~Store();

    /// Whether the directory's store has no bytes, as a run leaves it that was killed in its first moment.
    static bool is_empty(const std::filesystem::path& directory);

    void set_digital(const Outcome& digital);
    std::optional<Outcome> digital() const;
    /// The points of the sweep, in order; those of a resumed run must be equal.
    void set_points(const std::vector<PointLabel>& points);
    /// Durable when it returns: SQLite syncs the file. A chip that is there already stays as it is.
    void add(int64_t point, const ChipResult& chip);
    std::vector<ChipResult> chips(int64_t point) const;

    RunInfo info() const;
    /// The whole run. Throws InputError where what is stored makes no sense.
    RunResult result() const;

  private:
    enum class Access { read, write };
    Store(std::filesystem::path file, Access access);
    void check(int code, const char* doing) const;
    void execute(const char* sql) const;
    std::optional<std::string> meta(const std::string& key) const;
    void set_meta(const std::string& key, const std::string& value);
    void write_info(const RunInfo& info);
    int64_t schema() const;
    void check_schema(int64_t schema) const;
    void check_resumes(const RunInfo& info, bool resume) const;
    std::vector<PointLabel> stored_points() const;

    std::filesystem::path file_;
    sqlite3* db_ = nullptr;

    friend class Statement;
};

}  // namespace mho
