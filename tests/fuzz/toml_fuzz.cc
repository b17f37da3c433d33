// tests/fuzz/toml_fuzz.cc - any text as a config: read or refused with InputError, never a crash; what is
// read says the same again when it is written out.
#include <string>

#include "host/config/read.h"
#include "host/config/write.h"
#include "kernels/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    try {
        const mho::Config config = mho::parse_config(text, "fuzz.toml");
        const std::string written = mho::to_toml(config);
        if (mho::to_toml(mho::parse_config(written, "again.toml")) != written) __builtin_trap();
    } catch (const mho::InputError&) {
    }
    return 0;
}
