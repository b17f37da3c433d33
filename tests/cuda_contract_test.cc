// The CUDA backend on a real GPU, through the plug-in as mho loads it. Skipped where there is none, and says
// why; with MHO_REQUIRE_GPU=1 that is a failure.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "host/run/cuda_plugin.h"
#include "tests/backend_contract.h"

namespace mho::testing {

std::unique_ptr<Backend> backend_under_test() { return cuda_state().plugin->make_backend(0); }
int layers_a_shard() { return 25; }

namespace {

bool requires_gpu() {
    const char* asked = std::getenv("MHO_REQUIRE_GPU");
    return asked && std::string(asked) == "1";
}

class Gpu : public ::testing::Environment {
    void SetUp() override {
        if (cuda_state().devices > 0) return;
        if (requires_gpu()) FAIL() << "MHO_REQUIRE_GPU=1, and there is no GPU: " << cuda_state().why_none;
        GTEST_SKIP() << "no GPU: " << cuda_state().why_none;
    }
};
const ::testing::Environment* const gpu = ::testing::AddGlobalTestEnvironment(new Gpu);

}  // namespace
}  // namespace mho::testing
