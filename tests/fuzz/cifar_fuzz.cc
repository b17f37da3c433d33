// tests/fuzz/cifar_fuzz.cc - any bytes as a CIFAR file: read or refused with InputError, never a crash.
// The first byte chooses CIFAR-10 or CIFAR-100 (lowest bit) and how many images to ask for; the rest is the
// file.
#include <sstream>
#include <string>

#include "kernels/base/error.h"
#include "models/data/cifar.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const mho::CifarFormat format = data[0] % 2 == 0 ? mho::CifarFormat{1, 10} : mho::CifarFormat{2, 100};
    const int64_t asked = data[0] / 2;
    std::istringstream in(std::string(reinterpret_cast<const char*>(data + 1), size - 1));
    std::vector<uint8_t> pixels;
    std::vector<int32_t> labels;
    try {
        const int64_t taken = mho::append_cifar(in, "fuzz", format, asked, pixels, labels);
        if (asked != 0 && taken > asked) __builtin_trap();
        if (static_cast<int64_t>(labels.size()) != taken || pixels.size() != labels.size() * 3072)
            __builtin_trap();
        for (const int32_t label : labels)
            if (label < 0 || label >= format.classes) __builtin_trap();
    } catch (const mho::InputError&) {
    }
    return 0;
}
