// How much memory is taken to be there, from files as Linux and its containers write them.
#include "kernels/cpu/memory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <new>

#include "kernels/backend.h"
#include "tests/temporary_directory.h"

namespace mho {
namespace {

constexpr int64_t kMiB = 1 << 20;

class AvailableMemory : public ::testing::Test {
  protected:
    void write(const std::string& file, const std::string& text) {
        std::filesystem::create_directories((root_.path() / file).parent_path());
        std::ofstream(root_.path() / file) << text;
    }
    int64_t available() const { return cpu::available_memory(root_.path()); }

    TemporaryDirectory root_;
};

TEST_F(AvailableMemory, is_what_the_machine_can_free) {
    write("proc/meminfo", "MemTotal: 4096 kB\nMemFree: 512 kB\nMemAvailable:    2048 kB\nBuffers: 1 kB\n");
    EXPECT_EQ(available(), 2 * kMiB);
}

TEST_F(AvailableMemory, is_no_more_than_a_container_leaves) {
    write("proc/meminfo", "MemAvailable: 8192 kB\n");
    write("sys/fs/cgroup/memory.max", "max\n");
    write("sys/fs/cgroup/memory.current", "1048576\n");
    EXPECT_EQ(available(), 8 * kMiB) << "no limit";
    write("sys/fs/cgroup/memory.max", "4194304\n");
    EXPECT_EQ(available(), 3 * kMiB);
    write("sys/fs/cgroup/memory.stat", "anon 1\nfile 3\ninactive_file 524288\n");
    EXPECT_EQ(available(), 3 * kMiB + kMiB / 2) << "files that are cached can be dropped";
    write("sys/fs/cgroup/memory.current", "9000000\n");
    EXPECT_EQ(available(), 0);
}

TEST_F(AvailableMemory, knows_older_control_groups) {
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "4194304\n");
    write("sys/fs/cgroup/memory/memory.usage_in_bytes", "1048576\n");
    EXPECT_EQ(available(), 3 * kMiB);
}

TEST_F(AvailableMemory, is_unlimited_where_nothing_is_said) {
    EXPECT_EQ(available(), std::numeric_limits<int64_t>::max());
    write("proc/meminfo", "MemAvailable: lots\n");
    EXPECT_EQ(available(), std::numeric_limits<int64_t>::max());
}

TEST(AvailableMemoryOfThisMachine, refuses_activations_that_do_not_fit) {
    const int64_t bytes = cpu::available_memory();
    ASSERT_GT(bytes, kMiB);
    Plan plan;
    plan.tensors = {{{1, kMiB}}, {{1, kMiB}}};
    plan.inputs = {0};
    plan.outputs = {1};
    plan.steps = {{"relu", step::Activate{}, {0}, 1, {}}};
    const auto program = make_cpu_backend()->load(plan);
    EXPECT_NO_THROW(program->make_stream(1));
    EXPECT_THROW(program->make_stream(bytes / kMiB), std::bad_alloc) << "four bytes each, twice";
}

}  // namespace
}  // namespace mho
