// The store of finished chips: what goes in comes out, another run is refused, and no damaged file crashes
// the reader.
#include "host/results/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "kernels/base/error.h"
#include "tests/temporary_directory.h"

namespace mho {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

RunInfo info_of(const std::string& config) {
    RunInfo i;
    i.version = "0.1";
    i.config_toml = config;
    i.config_sha256 = "sha of " + config;
    i.deciding_config = config;
    i.network_file = "net.onnx";
    i.network_sha256 = "abc";
    i.network_parameters = 1234567890123;
    i.data_name = "digits";
    i.data_sha256 = "def";
    i.images = 100;
    i.chips = 10;
    i.until = 0.01;
    i.confidence = 0.99;
    i.backend = "cpu";
    i.precision = "f32";
    i.command = "mho sweep 'a b.toml'";
    return i;
}

ChipResult chip_of(int64_t number) {
    return {{100, 90 + number, 99, (int64_t{1} << 40) + number}, number, 5000, 3, 1, 0.25, 0.5, 0.75};
}

class StoreTest : public ::testing::Test {
  protected:
    fs::path file() const { return directory_ / "run.sqlite"; }
    void fill(const std::string& config = "a = 1") const {
        Store store = Store::create(directory_, info_of(config), false);
        store.set_points({{{{"device.sigma", "0.1"}}}, {{{"device.sigma", "0.2"}}}});
        store.set_digital({100, 98, 100, 12345});
        for (int64_t c : {2, 0, 1}) store.add(0, chip_of(c));
        store.add(1, chip_of(7));
    }
    std::string refusal(const std::function<void()>& attempt) const {
        try {
            attempt();
        } catch (const InputError& error) {
            return error.what();
        }
        ADD_FAILURE() << "was not refused";
        return "";
    }
    void sql(const std::string& text) const {
        sqlite3* db = nullptr;
        ASSERT_EQ(sqlite3_open(file().c_str(), &db), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(db, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
        sqlite3_close(db);
    }

    const TemporaryDirectory made_;
    const fs::path& directory_ = made_.path();
};

TEST_F(StoreTest, holds_what_was_put_in) {
    fill();
    const RunResult run = Store::open(directory_).result();
    EXPECT_EQ(run.info, info_of("a = 1"));
    EXPECT_EQ(run.digital, (Outcome{100, 98, 100, 12345}));
    ASSERT_EQ(run.points.size(), 2u);
    EXPECT_EQ(run.points[1].label, (PointLabel{{{"device.sigma", "0.2"}}}));
    EXPECT_EQ(run.points[0].chips, (std::vector<ChipResult>{chip_of(0), chip_of(1), chip_of(2)}));
}

TEST_F(StoreTest, a_chip_that_is_there_stays) {
    fill();
    Store store = Store::create(directory_, info_of("a = 1"), true);
    ChipResult other = chip_of(1);
    other.top1 = 5;
    store.add(0, other);
    EXPECT_EQ(store.chips(0)[1], chip_of(1));
}

TEST_F(StoreTest, resumes_the_same_run_alone) {
    fill();
    EXPECT_THAT(refusal([&] { Store::create(directory_, info_of("a = 1"), false); }), HasSubstr("--resume"));
    EXPECT_THAT(refusal([&] { Store::create(directory_, info_of("a = 2"), true); }),
                HasSubstr("another run"));
    const std::pair<const char*, std::function<void(RunInfo&)>> others[] = {
        {"mho 0.1 began, this is mho 0.2", [](RunInfo& i) { i.version = "0.2"; }},
        {"different: --per-layer", [](RunInfo& i) { i.per_layer = true; }},
        {"different: network", [](RunInfo& i) { i.network_sha256 = "abd"; }},
        {"different: images or labels", [](RunInfo& i) { i.data_sha256 = "dee"; }},
        {"different: images or labels", [](RunInfo& i) { i.images = 99; }},
        {"different: backend", [](RunInfo& i) { i.backend = "cuda"; }},
        {"holds chip 7 already", [](RunInfo& i) { i.chips = 7; }},
    };
    for (const auto& [expected, change] : others) {
        RunInfo other = info_of("a = 1");
        change(other);
        EXPECT_THAT(refusal([&] { Store::create(directory_, other, true); }), HasSubstr(expected));
    }
    EXPECT_EQ(Store::open(directory_).info().chips, 10) << "a refusal changes nothing";
    Store same = Store::create(directory_, info_of("a = 1"), true);
    EXPECT_THAT(refusal([&] { same.set_points({{{{"device.sigma", "0.3"}}}}); }), HasSubstr("other points"));
}

TEST_F(StoreTest, takes_over_what_does_not_decide_chips) {
    fill();
    RunInfo more = info_of("a = 1");
    more.config_toml = "chips = 50";
    more.chips = 50;
    more.confidence = 0.9;
    more.network_file = "moved/net.onnx";
    Store::create(directory_, more, true);
    const RunResult run = Store::open(directory_).result();
    EXPECT_EQ(run.info.chips, 50);
    EXPECT_EQ(run.info.confidence, 0.9);
    EXPECT_EQ(run.info.config_toml, "chips = 50");
    EXPECT_EQ(run.info.network_file, "moved/net.onnx");
    EXPECT_EQ(run.points[0].chips.size(), 3u);
}

TEST_F(StoreTest, bytes_that_are_no_text_are_kept_out_of_its_json) {
    RunInfo info = info_of("a = 1");
    info.command = "mho sweep --out 'q\xff'";
    Store store = Store::create(directory_, info, false);
    const std::vector<PointLabel> points{{{{"layer", "\"\xfe\""}}}};
    store.set_points(points);
    store.set_points(points);
    EXPECT_EQ(store.info().command, "mho sweep --out 'q\uFFFD'");
}

TEST_F(StoreTest, what_a_killed_run_left_half_written_is_undone) {
    fill();
    const fs::path killed = directory_ / "killed";
    fs::create_directory(killed);
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &db), SQLITE_OK);
    // A cache of few pages makes SQLite write into the file before the transaction ends.
    ASSERT_EQ(sqlite3_exec(db,
                           "PRAGMA cache_size = 1; BEGIN;"
                           "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
                           "INSERT INTO chip SELECT 0, i, 100, 1, 1, 0, 0, 0, 0, 0, 0, 0 FROM n",
                           nullptr, nullptr, nullptr),
              SQLITE_OK)
        << sqlite3_errmsg(db);
    for (const char* part : {"run.sqlite", "run.sqlite-journal"}) fs::copy(directory_ / part, killed / part);
    sqlite3_close(db);
    EXPECT_GT(fs::file_size(killed / "run.sqlite"), fs::file_size(file()));
    EXPECT_EQ(Store::open(killed).result().points[0].chips.size(), 3u);
}

TEST_F(StoreTest, nothing_there_is_said_so) {
    EXPECT_THAT(refusal([&] { Store::open(directory_); }), HasSubstr("run.sqlite"));
    EXPECT_THAT(refusal([&] { Store::open(directory_ / "nowhere"); }), HasSubstr("nowhere"));
    EXPECT_THAT(refusal([&] { Store::open(directory_ / std::string(300, 'x')); }), HasSubstr("too long"));
}

TEST_F(StoreTest, a_directory_that_cannot_be_made_is_a_failure_of_the_run) {
    std::ofstream(directory_ / "file") << "x";
    EXPECT_THROW(Store::create(directory_ / "file" / "run", info_of("a"), false), std::runtime_error);
}

TEST_F(StoreTest, other_files_under_its_name_are_refused) {
    for (const std::string text : {"", "not a database at all", "SQLite format 3"}) {
        std::ofstream(file(), std::ios::trunc) << text;
        EXPECT_THAT(refusal([&] { Store::open(directory_); }), HasSubstr("run.sqlite")) << text;
    }
}

TEST_F(StoreTest, rows_that_make_no_sense_are_refused) {
    const char* damages[] = {
        "UPDATE chip SET images = 0",
        "UPDATE chip SET top1 = images + 1",
        "UPDATE chip SET top1 = -1",
        "UPDATE chip SET chip = -4 WHERE chip = 2",
        "UPDATE chip SET point = 9 WHERE chip = 7",
        "DELETE FROM point WHERE id = 0; DELETE FROM chip WHERE point = 1",
        "UPDATE point SET label = 'nonsense'",
        "UPDATE point SET label = '[[1, 2]]'",
        "DELETE FROM meta",
        "UPDATE meta SET value = '{\"images\":100,\"top1\":null,\"top5\":1,\"loss\":0}' WHERE key = "
        "'digital'",
        "UPDATE meta SET value = '{\"images\":0,\"top1\":0,\"top5\":0,\"loss\":0}' WHERE key = 'digital'",
        "DROP TABLE chip",
        "PRAGMA user_version = 99",
    };
    for (const char* damage : damages) {
        fs::remove_all(directory_);
        fs::create_directory(directory_);
        fill();
        sql(damage);
        EXPECT_FALSE(refusal([&] { Store::open(directory_).result(); }).empty()) << damage;
    }
}

TEST_F(StoreTest, damaged_anywhere_it_is_read_or_refused_but_never_crashes) {
    fill();
    std::ifstream stream(file(), std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    const std::string whole = text.str();
    std::mt19937 random(1);
    int refused = 0;
    for (int i = 0; i < 400; ++i) {
        std::string bytes = whole;
        if (i % 4 == 0) bytes.resize(random() % bytes.size());
        for (int k = 0; k < 1 + i % 8 && !bytes.empty(); ++k)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        std::ofstream(file(), std::ios::binary | std::ios::trunc) << bytes;
        try {
            Store::open(directory_).result();
        } catch (const InputError&) {
            ++refused;
        } catch (const RunError&) {
            ++refused;
        }
    }
    EXPECT_GT(refused, 100);  // the cut ones at least
}

}  // namespace
}  // namespace mho
