// tests/fuzz/store_fuzz.cc - any bytes as run.sqlite: read, and told as results.json and a table, or refused
// with InputError, never a crash. An even first byte: the rest is the file. An odd one: the rest are changes
// to a real store, three bytes each (place, high and low, and what is put there; places count in pages of 64
// bytes and within them by what came before).
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "host/results/results.h"
#include "host/results/store.h"
#include "host/results/tables.h"
#include "kernels/base/error.h"

namespace {

namespace fs = std::filesystem;

const fs::path& directory() {
    static const fs::path made = [] {
        char pattern[] = "/tmp/mho_store_fuzz_XXXXXX";
        return fs::path(mkdtemp(pattern));
    }();
    return made;
}

std::string real_store() {
    {
        mho::RunInfo info;
        info.version = "0.1";
        info.config_toml = info.deciding_config = "a = 1";
        info.images = 100;
        info.chips = 3;
        mho::Store store = mho::Store::create(directory(), info, false);
        store.set_points({{{{"device.sigma", "0.1"}}}, {{{"device.sigma", "0.2"}}}});
        store.set_digital({100, 98, 100, 12345});
        for (int64_t c : {2, 0, 1})
            store.add(0, {{100, 90 + c, 99, 1 << 20}, c, 5000, 3, 1, 0.25, 0.5, 0.75});
    }
    std::ifstream file(directory() / "run.sqlite", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const std::string real = real_store();
    if (size == 0) return 0;
    std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    if (data[0] % 2 == 1) {
        bytes = real;
        size_t place = 0;
        for (size_t i = 1; i + 2 < size; i += 3) {
            place = (place + data[i] * size_t{64} + data[i + 1]) % bytes.size();
            bytes[place] = static_cast<char>(data[i + 2]);
        }
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(directory())) fs::remove(entry.path());
    std::ofstream(directory() / "run.sqlite", std::ios::binary) << bytes;
    try {
        const mho::RunResult run = mho::Store::open(directory()).result();
        mho::results_json(run);
        mho::chips_csv(run);
        mho::points_table(run);
        mho::findings_text(run);
    } catch (const mho::InputError&) {
    } catch (const mho::RunError&) {  // what SQLite could not carry out
    }
    return 0;
}
