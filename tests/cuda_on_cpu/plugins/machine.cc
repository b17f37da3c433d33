// The machine that an executed plug-in shows, from the environment of the process that loads it:
// MHO_TEST_DEVICES, how many GPUs (-1: no driver), and MHO_TEST_BREAK = "device:work", a GPU that stops
// working after so many pieces of work.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>

namespace {

const bool prepared = [] {
    if (const char* devices = std::getenv("MHO_TEST_DEVICES")) {
        cuda_on_cpu::Machine machine;
        machine.devices = std::atoi(devices);
        cuda_on_cpu::set_machine(machine);
    }
    int device = 0;
    unsigned long long work = 0;
    const char* broken = std::getenv("MHO_TEST_BREAK");
    if (broken && std::sscanf(broken, "%d:%llu", &device, &work) == 2)
        cuda_on_cpu::break_device(device, work);
    return true;
}();

}  // namespace
