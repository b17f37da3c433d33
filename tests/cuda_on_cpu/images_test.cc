// Images that do not fit a GPU's memory stay on the host and are copied batch by batch, with the bits of
// those that fit.
#include <gtest/gtest.h>

#include "cuda_runtime.h"
#include "host/chip/lowering.h"
#include "kernels/cuda/backend.h"
#include "kernels/cuda/stream.h"
#include "tests/graph_builder.h"

namespace mho {
namespace {

constexpr int64_t kImages = 40, kSize = 3 * 4 * 5;

TEST(Images, on_the_host_enter_as_those_on_the_device_do) {
    const auto backend = cuda::make_backend(0);
    testing::GraphBuilder b(3);
    b.output(b.conv(b.input({1, 3, 4, 5}), 2, 3));
    const auto program = backend->load(lower_digital(number_nodes(b.graph)));
    const Tensor values = b.whole_numbers({kImages, 3, 4, 5}, 100);
    const auto resident = backend->upload(values.data, {}, kImages);
    const cuda_on_cpu::Machine usual;
    cuda_on_cpu::Machine small = usual;
    size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    small.memory = total - free + values.data.size() * sizeof(float);  // of which images may take a part
    cuda_on_cpu::set_machine(small);
    const auto on_host = backend->upload(values.data, {}, kImages);
    cuda_on_cpu::set_machine(usual);
    ASSERT_TRUE(static_cast<const cuda::CudaImages&>(*resident).on_host.empty());
    ASSERT_FALSE(static_cast<const cuda::CudaImages&>(*on_host).on_host.empty());

    const TensorId input = program->plan().inputs[0];
    const auto stream = program->make_stream(4);
    for (const std::vector<int64_t>& list :
         {std::vector<int64_t>{0, 1, 2, 3}, {39, 7, 7}, {12}, {30, 29, 28, 27}, {5, 38}})  // in two buffers
        for (const ImageStore* store : {on_host.get(), resident.get()}) {
            stream->load(*store, list);
            std::vector<float> got(list.size() * kSize);
            stream->read(input, got);
            for (size_t e = 0; e < got.size(); ++e)
                ASSERT_EQ(got[e], values.data[static_cast<size_t>(list[e / kSize]) * kSize + e % kSize])
                    << (store == on_host.get() ? "on the host" : "resident") << ", element " << e;
        }
}

}  // namespace
}  // namespace mho
