// tests/fuzz/onnx_fuzz.cc - any bytes as an ONNX model: read or refused with InputError, never a crash; what
// is read is a valid graph.
#include <string>

#include "kernels/base/error.h"
#include "models/onnx/onnx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    for (const bool any_batch : {true, false}) {
        mho::Graph graph;
        try {
            graph = mho::parse_onnx(bytes, "fuzz.onnx", "/nowhere", {.any_batch = any_batch});
        } catch (const mho::InputError&) {
            continue;
        }
        mho::validate(graph);  // throws, and so fails, where the reader let something through
    }
    return 0;
}
