// tests/fuzz/npy_fuzz.cc - any bytes as a .npy file: read or refused with InputError, never a crash; what is
// read has as many elements as its shape says.
#include <string>

#include "host/util/npy.h"
#include "kernels/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    try {
        const mho::Tensor array =
            mho::parse_npy(std::string(reinterpret_cast<const char*>(data), size), "fuzz.npy");
        int64_t count = 1;
        for (const int64_t extent : array.dims) count *= extent;
        if (count != static_cast<int64_t>(array.data.size())) __builtin_trap();
    } catch (const mho::InputError&) {
    }
    return 0;
}
