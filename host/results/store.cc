#include "host/results/store.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "host/util/output.h"
#include "kernels/base/error.h"

namespace mho {

using nlohmann::json;

namespace {

constexpr char kFile[] = "run.sqlite";
constexpr char kSchema[] = R"sql(
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE point (id INTEGER PRIMARY KEY, label TEXT NOT NULL);
    CREATE TABLE chip (point INTEGER NOT NULL, chip INTEGER NOT NULL, images INTEGER NOT NULL, top1 INTEGER NOT NULL,
                       top5 INTEGER NOT NULL, loss INTEGER NOT NULL, cells INTEGER NOT NULL, clipped INTEGER NOT NULL,
                       stuck INTEGER NOT NULL, programming REAL NOT NULL, reading REAL NOT NULL, seconds REAL NOT NULL,
                       PRIMARY KEY (point, chip)) WITHOUT ROWID;
    PRAGMA user_version = 3;
)sql";
constexpr int kSchemaVersion = 3;

/// Paths and names of layers may hold any bytes, JSON only UTF-8: what is none is replaced.
std::string dump(const json& j) { return j.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string label_json(const PointLabel& label) {
    json j = json::array();
    for (const auto& [key, value] : label.set) j.push_back({key, value});
    return dump(j);
}

PointLabel parse_label(const std::string& text) {
    PointLabel label;
    for (const json& pair : json::parse(text)) label.set.emplace_back(pair.at(0), pair.at(1));
    return label;
}

/// The lines of a TOML config, by table.key; those of [[layer]] under the layer's number.
std::map<std::string, std::string> config_lines(const std::string& toml) {
    std::map<std::string, std::string> lines;
    std::istringstream text(toml);
    std::string line, table;
    int layers = 0;
    while (std::getline(text, line)) {
        if (line.starts_with("[[layer]]"))
            table = fmt::format("[[layer]] {}", ++layers);
        else if (line.starts_with('['))
            table = line.substr(1, line.find(']') - 1);
        else if (const size_t equals = line.find(" = "); equals != std::string::npos)
            lines[table + "." + line.substr(0, equals)] = line.substr(equals + 3);
    }
    return lines;
}

/// "config (device.sigma: 0.1 there, 0.2 here)".
std::string config_differences(const std::string& there, const std::string& here) {
    const std::map<std::string, std::string> old = config_lines(there), now = config_lines(here);
    std::map<std::string, std::string> all = old;
    all.insert(now.begin(), now.end());
    std::string keys;
    for (const auto& [key, value] : all) {
        const auto a = old.find(key), b = now.find(key);
        const std::string was = a == old.end() ? "not" : a->second, is = b == now.end() ? "not" : b->second;
        if (was != is) keys += fmt::format("{}{}: {} there, {} here", keys.empty() ? "" : "; ", key, was, is);
    }
    return keys.empty() ? "config" : "config (" + keys + ")";
}

}  // namespace

/// One prepared statement; values are bound and read by position.
class Statement {
  public:
    Statement(const Store& store, const char* sql) : store_(store) {
        store_.check(sqlite3_prepare_v2(store_.db_, sql, -1, &statement_, nullptr), "reading");
    }
    ~Statement() { sqlite3_finalize(statement_); }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    Statement& bind(int64_t v) {
        return store_.check(sqlite3_bind_int64(statement_, ++bound_, v), "writing"), *this;
    }
    Statement& bind(double v) {
        return store_.check(sqlite3_bind_double(statement_, ++bound_, v), "writing"), *this;
    }
    Statement& bind(const std::string& v) {
        store_.check(
            sqlite3_bind_text(statement_, ++bound_, v.c_str(), static_cast<int>(v.size()), SQLITE_TRANSIENT),
            "writing");
        return *this;
    }
    /// Whether there is a row.
    bool step(const char* doing) {
        const int code = sqlite3_step(statement_);
        if (code != SQLITE_ROW && code != SQLITE_DONE) store_.check(code, doing);
        return code == SQLITE_ROW;
    }
    int64_t integer(int column) { return sqlite3_column_int64(statement_, column); }
    double real(int column) { return sqlite3_column_double(statement_, column); }
    std::string text(int column) {
        const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
        return bytes ? std::string(bytes, static_cast<size_t>(sqlite3_column_bytes(statement_, column))) : "";
    }

  private:
    const Store& store_;
    sqlite3_stmt* statement_ = nullptr;
    int bound_ = 0;
};

void Store::check(int code, const char* doing) const {
    if (code == SQLITE_OK) return;
    const std::string what =
        fmt::format("{} {}: {}", doing, file_.string(), db_ ? sqlite3_errmsg(db_) : sqlite3_errstr(code));
    switch (code & 0xff) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_ERROR:
        case SQLITE_MISMATCH:
            throw InputError(what +
                             "; the store is damaged or not mho's. Nothing was changed: use another --out");
        case SQLITE_FULL:
            throw RunError(what + "; finished chips are kept: make room, then run again with --resume");
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            throw RunError(what +
                           "; another mho is running in this directory: let it end, or use another --out");
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
            throw InputError(what + "; is the directory there and writable?");
        default:
            throw RunError(what + "; finished chips are kept: run again with --resume");
    }
}

Store::Store(std::filesystem::path file, Access access) : file_(std::move(file)) {
    // A reader may write too: a run killed inside a transaction left a journal that the next one rolls back.
    const bool writable = access == Access::write;
    const int flags = SQLITE_OPEN_READWRITE | (writable ? SQLITE_OPEN_CREATE : 0);
    const int code = sqlite3_open_v2(file_.c_str(), &db_, flags, nullptr);
    try {
        check(code, "opening");
        if (writable) {
            // A rollback journal in one file: the run directory can be copied at any time. FULL: a chip is on
            // disk when add() returns. EXCLUSIVE: one writer a directory.
            execute("PRAGMA locking_mode = EXCLUSIVE");
            execute("PRAGMA synchronous = FULL");
        }
    } catch (...) {
        sqlite3_close(db_);
        throw;
    }
}

Store::Store(Store&& other) noexcept
    : file_(std::move(other.file_)), db_(std::exchange(other.db_, nullptr)) {}
Store::~Store() { sqlite3_close(db_); }

void Store::execute(const char* sql) const {
    check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), "writing");
}

std::optional<std::string> Store::meta(const std::string& key) const {
    Statement s(*this, "SELECT value FROM meta WHERE key = ?");
    if (!s.bind(key).step("reading")) return std::nullopt;
    return s.text(0);
}

void Store::set_meta(const std::string& key, const std::string& value) {
    Statement(*this, "INSERT OR REPLACE INTO meta VALUES (?, ?)").bind(key).bind(value).step("writing");
}

void Store::write_info(const RunInfo& i) {
    const json j{{"version", i.version},
                 {"config_toml", i.config_toml},
                 {"config_sha256", i.config_sha256},
                 {"deciding_config", i.deciding_config},
                 {"per_layer", i.per_layer},
                 {"network_file", i.network_file},
                 {"network_sha256", i.network_sha256},
                 {"network_parameters", i.network_parameters},
                 {"data_name", i.data_name},
                 {"data_sha256", i.data_sha256},
                 {"images", i.images},
                 {"classes", i.classes},
                 {"chips", i.chips},
                 {"until", i.until},
                 {"confidence", i.confidence},
                 {"units", i.units},
                 {"backend", i.backend},
                 {"precision", i.precision},
                 {"command", i.command}};
    set_meta("info", dump(j));
}

RunInfo Store::info() const {
    const std::optional<std::string> text = meta("info");
    if (!text) throw InputError(fmt::format("{}: holds no run", file_.string()));
    try {
        const json j = json::parse(*text);
        RunInfo i;
        i.version = j.at("version");
        i.config_toml = j.at("config_toml");
        i.config_sha256 = j.at("config_sha256");
        i.deciding_config = j.at("deciding_config");
        i.per_layer = j.at("per_layer");
        i.network_file = j.at("network_file");
        i.network_sha256 = j.at("network_sha256");
        i.network_parameters = j.at("network_parameters");
        i.data_name = j.at("data_name");
        i.data_sha256 = j.at("data_sha256");
        i.images = j.at("images");
        i.classes = j.value("classes", int64_t{0});  // stores of earlier versions hold none
        i.chips = j.at("chips");
        i.until = j.at("until");
        i.confidence = j.at("confidence");
        i.units = j.value("units", std::map<std::string, std::string>{});
        i.backend = j.at("backend");
        i.precision = j.at("precision");
        i.command = j.at("command");
        return i;
    } catch (const json::exception& e) {
        throw InputError(fmt::format("{}: damaged ({})", file_.string(), e.what()));
    }
}

Store Store::create(const std::filesystem::path& directory, const RunInfo& info, bool resume) {
    const std::filesystem::path file = directory / kFile;
    std::error_code error;
    if (!std::filesystem::exists(file, error)) make_empty_directory(directory);
    Store store(file, Access::write);
    store.execute("BEGIN EXCLUSIVE");
    const int64_t schema = store.schema();
    if (schema == 0) {
        store.execute(kSchema);
    } else {
        store.check_schema(schema);
        store.check_resumes(info, resume);
    }
    store.write_info(info);
    store.execute("COMMIT");
    return store;
}

bool Store::is_empty(const std::filesystem::path& directory) {
    std::error_code error;
    return std::filesystem::file_size(directory / kFile, error) == 0 && !error;
}

void Store::check_resumes(const RunInfo& now, bool resume) const {
    const auto refuse = [&](const std::string& why) {
        throw InputError(fmt::format("--out {}: {}", file_.parent_path().string(), why));
    };
    const RunInfo old = info();
    if (old.version != now.version)  // first: another version may write or draw the same run differently
        refuse(
            fmt::format("holds a run that mho {} began, this is mho {}: go on with that version, or use "
                        "another directory",
                        old.version, now.version));
    const std::pair<bool, std::string> differences[] = {
        {old.deciding_config != now.deciding_config,
         config_differences(old.deciding_config, now.deciding_config)},
        {old.per_layer != now.per_layer, "--per-layer"},
        {old.network_sha256 != now.network_sha256, "network"},
        {old.data_sha256 != now.data_sha256 || old.images != now.images, "images or labels"},
        {old.backend != now.backend, "backend"},
    };
    std::string differ;
    for (const auto& [differs, what] : differences)
        if (differs) differ += (differ.empty() ? "" : ", ") + what;
    if (!differ.empty())
        refuse(fmt::format("holds another run (different: {}): use another directory", differ));
    if (!resume) refuse("holds this run already: --resume goes on with it");
    Statement last(*this, "SELECT max(chip) FROM chip");
    if (last.step("reading") && last.integer(0) >= now.chips)
        refuse(
            fmt::format("holds chip {} already: monte_carlo.chips can grow, here to {} or more, not shrink",
                        last.integer(0), last.integer(0) + 1));
}

Store Store::open(const std::filesystem::path& directory) {
    const std::filesystem::path file = directory / kFile;
    std::error_code error;
    if (!std::filesystem::exists(file, error))
        throw InputError(fmt::format("{}: holds no run ({})", directory.string(),
                                     error ? error.message() : kFile + std::string(" is missing")));
    Store store(file, Access::read);
    store.check_schema(store.schema());
    return store;
}

int64_t Store::schema() const {
    Statement version(*this, "PRAGMA user_version");
    return version.step("reading") ? version.integer(0) : 0;
}

void Store::check_schema(int64_t schema) const {
    if (schema != kSchemaVersion)
        throw InputError(fmt::format("{}: holds no run that this mho knows (schema {}, known is {})",
                                     file_.string(), schema, kSchemaVersion));
}

void Store::set_digital(const Outcome& d) {
    set_meta("digital",
             json{{"images", d.images}, {"top1", d.top1}, {"top5", d.top5}, {"loss", d.loss}}.dump());
}

std::optional<Outcome> Store::digital() const {
    const std::optional<std::string> text = meta("digital");
    if (!text) return std::nullopt;
    try {
        const json j = json::parse(*text);
        const Outcome digital{j.at("images"), j.at("top1"), j.at("top5"), j.at("loss")};
        if (digital.sane()) return digital;
    } catch (const json::exception& e) {
        throw InputError(fmt::format("{}: damaged ({})", file_.string(), e.what()));
    }
    throw InputError(fmt::format("{}: damaged: the digital result makes no sense", file_.string()));
}

void Store::set_points(const std::vector<PointLabel>& points) {
    const std::vector<PointLabel> old = stored_points();
    const auto same = [](const PointLabel& a, const PointLabel& b) { return label_json(a) == label_json(b); };
    if (!old.empty() && !std::equal(old.begin(), old.end(), points.begin(), points.end(), same))
        throw InputError(
            fmt::format("{}: holds a sweep over other points: use another --out", file_.string()));
    execute("BEGIN");
    for (size_t i = 0; i < points.size(); ++i)
        Statement(*this, "INSERT OR REPLACE INTO point VALUES (?, ?)")
            .bind(static_cast<int64_t>(i))
            .bind(label_json(points[i]))
            .step("writing");
    execute("COMMIT");
}

void Store::add(int64_t point, const ChipResult& c) {
    Statement(*this, "INSERT OR IGNORE INTO chip VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(point)
        .bind(c.chip)
        .bind(c.images)
        .bind(c.top1)
        .bind(c.top5)
        .bind(c.loss)
        .bind(c.cells)
        .bind(c.clipped_cells)
        .bind(c.stuck_cells)
        .bind(c.programming_seconds)
        .bind(c.reading_seconds)
        .bind(c.seconds)
        .step("writing");
}

std::vector<ChipResult> Store::chips(int64_t point) const {
    Statement s(*this,
                "SELECT chip, images, top1, top5, loss, cells, clipped, stuck, programming, reading, seconds "
                "FROM chip WHERE point = ? ORDER BY chip");
    s.bind(point);
    std::vector<ChipResult> chips;
    while (s.step("reading")) {
        const ChipResult c{{s.integer(1), s.integer(2), s.integer(3), s.integer(4)},
                           s.integer(0),
                           s.integer(5),
                           s.integer(6),
                           s.integer(7),
                           s.real(8),
                           s.real(9),
                           s.real(10)};
        if (c.chip < 0 || !c.sane())
            throw InputError(fmt::format("{}: damaged: chip {} of point {} makes no sense", file_.string(),
                                         c.chip, point));
        chips.push_back(c);
    }
    return chips;
}

std::vector<PointLabel> Store::stored_points() const {
    std::vector<PointLabel> points;
    Statement s(*this, "SELECT id, label FROM point ORDER BY id");
    while (s.step("reading")) {
        if (s.integer(0) != static_cast<int64_t>(points.size()))
            throw InputError(fmt::format("{}: damaged: point {} is missing", file_.string(), points.size()));
        try {
            points.push_back(parse_label(s.text(1)));
        } catch (const json::exception& e) {
            throw InputError(fmt::format("{}: damaged ({})", file_.string(), e.what()));
        }
    }
    return points;
}

RunResult Store::result() const {
    RunResult run{info(), digital(), {}};
    int64_t read = 0;
    for (PointLabel& label : stored_points()) {
        run.points.push_back({std::move(label), chips(static_cast<int64_t>(run.points.size()))});
        read += static_cast<int64_t>(run.points.back().chips.size());
    }
    Statement count(*this, "SELECT count(*) FROM chip");
    if (count.step("reading") && count.integer(0) != read)
        throw InputError(
            fmt::format("{}: damaged: it holds chips of points that are not in the sweep", file_.string()));
    return run;
}

}  // namespace mho
