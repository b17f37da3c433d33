// The CPU backend: oneDNN for digital products, our own loops for everything else.
#include "kernels/backend.h"

#include <sched.h>

#include <algorithm>
#include <thread>

#include "kernels/base/error.h"
#include "kernels/cpu/integer_product.h"
#include "kernels/cpu/program.h"
#include "kernels/cpu/stream.h"

namespace mho {
namespace {

std::string vector_instructions() {
    if (__builtin_cpu_supports("avx512bw"))
        return __builtin_cpu_supports("avx512vnni") ? "AVX-512 with VNNI" : "AVX-512";
    return __builtin_cpu_supports("avx2") ? "AVX2" : "SSE2";
}

const char* integer_product_instructions() {
    for (const cpu::IntegerProduct& product : cpu::integer_products())
        if (product.available) return product.name;
    return "";
}

std::string onednn_version() {
    const dnnl_version_t* v = dnnl_version();
    return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

class CpuBackend : public Backend {
  public:
    std::string name() const override { return "cpu"; }
    std::string description() const override {
        return vector_instructions() + ", oneDNN " + onednn_version() + ", crossbars with " +
               integer_product_instructions();
    }
    std::unique_ptr<Program> load(Plan plan) const override {
        if (plan.precision != Precision::f32)
            throw InputError(
                "monte_carlo.precision: tf32 and bf16 take a GPU (--backend cuda); "
                "the CPU multiplies in f32");
        return std::make_unique<cpu::CpuProgram>(std::move(plan));
    }
    std::unique_ptr<ImageStore> upload(std::vector<float> values, std::vector<int32_t> labels,
                                       int64_t images) const override {
        auto store = std::make_unique<cpu::CpuImages>(images);
        store->values = std::move(values);
        store->labels = std::move(labels);
        return store;
    }
    /// The processors that this process may use.
    int busy_streams() const override {
        cpu_set_t allowed;
        if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
        return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    }
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend() { return std::make_unique<CpuBackend>(); }

}  // namespace mho
