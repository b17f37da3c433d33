// tests/fuzz/idx_fuzz.cc - any bytes as an IDX file: read or refused with InputError, never a crash.
// The first byte says how many items to ask for; the rest is the file.
#include <algorithm>
#include <sstream>
#include <string>

#include "kernels/base/error.h"
#include "models/data/idx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    for (const int min_rank : {1, 3}) {
        std::istringstream in(bytes);
        try {
            const mho::IdxArray array = mho::read_idx(in, "fuzz", min_rank, min_rank == 1 ? 1 : 4, data[0]);
            int64_t product = 1;
            for (const int64_t extent : array.extents) product *= extent;
            if (product != static_cast<int64_t>(array.values.size())) __builtin_trap();
            const int64_t asked = data[0] == 0 ? array.total : data[0];
            if (array.extents[0] != std::min(asked, array.total)) __builtin_trap();
        } catch (const mho::InputError&) {
        }
    }
    return 0;
}
