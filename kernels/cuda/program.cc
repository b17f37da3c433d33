#include "kernels/cuda/program.h"

#include <algorithm>
#include <atomic>
#include <new>

#include "kernels/base/error.h"
#include "kernels/cuda/operations.h"
#include "kernels/cuda/profiling.h"
#include "kernels/cuda/stream.h"

namespace mho::cuda {
namespace {

const Parameter& parameter_of(const Plan& plan, ParameterId id) {
    return plan.parameters[static_cast<size_t>(id)];
}

}  // namespace

CudaChip::CudaChip(const CudaProgram& program) : program_(program) {
    for (const Parameter& p : program.plan().parameters)
        perturbed_.emplace_back(p.perturbation ? static_cast<int64_t>(p.value.size()) : 0);
    for (const auto& tables : program.crossbars())
        crossbars_.emplace_back(*tables, program.gpu().shared_bytes);
}

const float* CudaChip::parameter(ParameterId id) const {
    const DeviceBuffer<float>& own = perturbed_[static_cast<size_t>(id)];
    return own.size() > 0 ? own.data() : program_.parameter(id);
}

std::vector<float> CudaChip::read_parameter(ParameterId id) const {
    program_.gpu().use();
    const int64_t count = static_cast<int64_t>(parameter_of(program_.plan(), id).value.size());
    const std::vector<float> ordered = downloaded(parameter(id), count, queue_);
    const WeightOrder order = program_.order(id);
    std::vector<float> plain(ordered.size());
    for (int64_t i = 0; i < count; ++i) {
        const int64_t tap = i % order.taps, input = i / order.taps % order.inputs,
                      output = i / order.taps / order.inputs;
        plain[static_cast<size_t>(i)] =
            ordered[static_cast<size_t>((output * order.taps + tap) * order.inputs + input)];
    }
    return plain;
}

CudaProgram::CudaProgram(Plan plan, const Gpu& gpu)
    : plan_(std::move(plan)),
      gpu_(gpu),
      orders_(plan_.parameters.size()),
      crossbars_(plan_.crossbars.size()) {
    for (const PlanTensor& tensor : plan_.tensors)
        if (tensor.dims.size() > kMaxRank)
            throw InputError("a value of more than " + std::to_string(kMaxRank) +
                             " axes: the CUDA backend has no such operations; use --backend cpu");
    for (const Step& step : plan_.steps) load_step(step);
    load_parameters();
}

void CudaProgram::load_step(const Step& step) {
    sites_.push_back(product_site(plan_, step));
    if (sites_.back())
        orders_[static_cast<size_t>(sites_.back()->weight)] = weight_order(sites_.back()->image);
    const auto* gather = std::get_if<step::Gather>(&step.operation);
    indices_.push_back(gather ? uploaded<int64_t>(gather->indices, queue_) : DeviceBuffer<int64_t>());
    if (const auto* crossbar = std::get_if<step::Crossbar>(&step.operation)) {
        const size_t index = static_cast<size_t>(crossbar->crossbar);
        const auto dims = [&](TensorId id) { return plan_.tensors[static_cast<size_t>(id)].dims; };
        crossbars_[index] = std::make_unique<CrossbarTables>(plan_.crossbars[index], *crossbar,
                                                             dims(step.inputs[0]), dims(step.output), queue_);
    }
}

void CudaProgram::load_parameters() {
    for (size_t i = 0; i < plan_.parameters.size(); ++i) {
        const Parameter& p = plan_.parameters[i];
        DeviceBuffer<float> plain = uploaded<float>(p.value, queue_);
        DeviceBuffer<float> ordered(plain.size());
        if (plain.size() > 0)
            perturb_weights(nullptr, 0, 0, plain.data(), plain.size(), orders_[i], ordered.data(),
                            queue_.get());
        queue_.wait();
        parameters_.push_back(std::move(ordered));
        values_.push_back(p.perturbation ? std::move(plain) : DeviceBuffer<float>());
    }
}

std::unique_ptr<Chip> CudaProgram::make_chip() const {
    gpu_.use();
    return std::make_unique<CudaChip>(*this);
}

std::unique_ptr<Stream> CudaProgram::make_stream(int64_t max_images, bool keep_all) const {
    gpu_.use();
    return std::make_unique<CudaStream>(*this, max_images, keep_all);
}

int64_t CudaProgram::most_codes() const {
    int64_t most = 0;
    for (const auto& tables : crossbars_) most = std::max(most, tables->codes());
    return most;
}

int64_t CudaProgram::fitting_batch(int64_t wanted, int streams) const {
    gpu_.use();
    size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "asking for free memory");
    int64_t chip = 0;
    for (const DeviceBuffer<float>& values : values_) chip += values.size() * 4;
    for (const auto& tables : crossbars_) chip += tables->bytes_a_chip();
    // A tenth is left to the allocator's rounding and to what libraries take for themselves.
    const int64_t each = static_cast<int64_t>(free) / 10 * 9 / streams;
    for (int64_t batch = wanted; batch > 0; batch /= 2)
        if (CudaStream::bytes(*this, batch) + chip <= each) return batch;
    throw std::bad_alloc();
}

void CudaProgram::perturb(CudaChip& chip, ParameterId id, const ChipAddress& address) const {
    const size_t i = static_cast<size_t>(id);
    const Perturbation& p = *parameter_of(plan_, id).perturbation;
    perturb_weights(address.nominal ? nullptr : &p, address.seed, address.chip, values_[i].data(),
                    values_[i].size(), orders_[i], chip.perturbed_[i].data(), chip.queue_.get());
}

void CudaProgram::program(Chip& chip, const ChipAddress& address, const Calibration& calibration) const {
    const Range range("program chip");
    gpu_.use();
    CudaChip& own = static_cast<CudaChip&>(chip);
    static std::atomic<uint64_t> programmings = 0;
    own.programming_ = ++programmings;
    if (own.address_ != address)
        for (size_t i = 0; i < plan_.parameters.size(); ++i)
            if (plan_.parameters[i].perturbation) perturb(own, static_cast<ParameterId>(i), address);
    own.address_ = address;
    own.calibration_ = calibration;
    own.report_ = {};
    for (size_t i = 0; i < own.crossbars_.size(); ++i) {
        own.crossbars_[i].program(address, calibration.crossbars[i], own.queue_);
    }
    for (CrossbarOnChip& crossbar : own.crossbars_) {
        crossbar.collect(own.queue_);
        own.report_ += crossbar.report();
    }
    own.queue_.wait();
}

}  // namespace mho::cuda
