// The CUDA backend under the contract of all backends once more, this time under the race detector, and with
// threads and blocks in another order in every test: forward, reverse, or one of twenty random ones, by the
// test's name. A race anywhere fails the test.
#include <gtest/gtest.h>

#include <cstdio>

#include "kernels/cuda/backend.h"
#include "tests/backend_contract.h"
#include "tests/cuda_on_cpu/executor.h"

namespace mho::testing {

std::unique_ptr<Backend> backend_under_test() { return cuda::make_backend(0); }
int layers_a_shard() { return 1; }  // every access of every thread is looked at

}  // namespace mho::testing

namespace {

constexpr uint64_t kSchedules = 22;

class OtherOrder : public testing::EmptyTestEventListener {
    void OnTestStart(const testing::TestInfo& test) override {
        uint64_t hash = 14695981039346656037u;  // FNV-1a: the same on every machine
        for (char c : std::string(test.test_suite_name()) + "." + test.name())
            hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
        std::printf("schedule %llu\n", static_cast<unsigned long long>(hash % kSchedules));
        cuda_on_cpu::set_schedule(hash % kSchedules);
    }
};

}  // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    testing::UnitTest::GetInstance()->listeners().Append(new OtherOrder);
    const int result = RUN_ALL_TESTS();
    if (!cuda_on_cpu::detects_races()) return std::puts("this program does not detect races"), 1;
    if (cuda_on_cpu::races() > 0)
        return std::printf("%llu races\n", static_cast<unsigned long long>(cuda_on_cpu::races())), 1;
    return result;
}
