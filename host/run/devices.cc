#include "host/run/devices.h"

#include <fmt/format.h>

#include "host/run/cuda_plugin.h"
#include "kernels/base/error.h"
#include "models/names.h"

namespace mho {
namespace {

Devices open_gpus() {
    Devices gpus;
    for (int i = 0; i < cuda_state().devices; ++i) gpus.push_back(cuda_state().plugin->make_backend(i));
    return gpus;
}

Devices open_cpu() {
    Devices cpu;
    cpu.push_back(make_cpu_backend());
    return cpu;
}

}  // namespace

Devices open_devices(const std::string& name) {
    if (name == "cpu") return open_cpu();
    if (name == "auto") return cuda_state().devices > 0 ? open_gpus() : open_cpu();
    if (name == "cuda") {
        if (cuda_state().devices == 0)
            throw InputError(fmt::format("--backend cuda: {}; --backend cpu or auto goes on without",
                                         cuda_state().why_none));
        return open_gpus();
    }
    const std::vector<std::string> known{"auto", "cpu", "cuda"};
    throw InputError(
        fmt::format("--backend {}: unknown{}; there are {}", name, did_you_mean(name, known), joined(known)));
}

}  // namespace mho
