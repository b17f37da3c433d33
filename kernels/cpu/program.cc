#include "kernels/cpu/program.h"

#include <algorithm>
#include <new>

#include "kernels/base/error.h"
#include "kernels/cpu/memory.h"
#include "kernels/cpu/random.h"
#include "kernels/cpu/stream.h"
#include "kernels/memory_plan.h"

namespace mho::cpu {
namespace {

const Parameter& parameter_of(const Plan& plan, ParameterId id) {
    return plan.parameters[static_cast<size_t>(id)];
}

}  // namespace

CpuChip::CpuChip(const CpuProgram& program) : program_(program) {
    const Plan& plan = program.plan();
    perturbed_.resize(plan.parameters.size());
    for (size_t i = 0; i < plan.parameters.size(); ++i)
        if (plan.parameters[i].perturbation) perturbed_[i].resize(plan.parameters[i].value.size());
    packed_.resize(program.sites().size());
    for (size_t i = 0; i < packed_.size(); ++i) {
        const PackedSite& site = program.sites()[i];
        if (!site.packed) packed_[i] = PackedWeight(site.image, *site.weight_format);
    }
    for (const CrossbarLayer& layer : plan.crossbars) crossbars_.emplace_back(layer);
}

std::span<const float> CpuChip::parameter(ParameterId id) const {
    const std::vector<float>& own = perturbed_[static_cast<size_t>(id)];
    return own.empty() ? std::span<const float>(parameter_of(program_.plan(), id).value) : own;
}

const void* CpuChip::packed_weight(int site) const {
    const size_t i = static_cast<size_t>(site);
    return program_.sites()[i].packed ? program_.sites()[i].packed->data() : packed_[i].data();
}

CpuProgram::CpuProgram(Plan plan) : plan_(std::move(plan)), site_of_step_(plan_.steps.size(), -1) {
    for (size_t i = 0; i < plan_.steps.size(); ++i) add_site(static_cast<int>(i));
}

void CpuProgram::add_site(int index) {
    const Step& step = plan_.steps[static_cast<size_t>(index)];
    const std::optional<ProductSite> product = product_site(plan_, step);
    if (!product) return;
    PackedSite site{*product, {}, nullptr};
    site.weight_format = Product(site.image, site.bias >= 0, step.activation).weight_format();
    const Parameter& weight = parameter_of(plan_, site.weight);
    if (!weight.perturbation) {
        auto packed = std::make_shared<PackedWeight>(site.image, *site.weight_format);
        packed->pack(weight.value.data());
        site.packed = std::move(packed);
    }
    site_of_step_[static_cast<size_t>(index)] = static_cast<int>(sites_.size());
    sites_.push_back(std::move(site));
}

std::unique_ptr<Chip> CpuProgram::make_chip() const { return std::make_unique<CpuChip>(*this); }

std::unique_ptr<Stream> CpuProgram::make_stream(int64_t max_images, bool keep_all) const {
    return std::make_unique<CpuStream>(*this, max_images, keep_all);
}

int64_t CpuProgram::fitting_batch(int64_t wanted, int streams) const {
    const int64_t available = available_memory() / static_cast<int64_t>(sizeof(float)) / streams;
    for (int64_t batch = wanted; batch > 0; batch /= 2)
        if (plan_memory(plan_, batch, false).size <= available) return batch;
    throw std::bad_alloc();
}

void CpuProgram::perturb(CpuChip& chip, ParameterId id, const ChipAddress& address) const {
    const Parameter& parameter = parameter_of(plan_, id);
    std::vector<float>& values = chip.perturbed_[static_cast<size_t>(id)];
    if (address.nominal) {
        std::copy(parameter.value.begin(), parameter.value.end(), values.begin());
        return;
    }
    const Perturbation& p = *parameter.perturbation;
    const RandomStream stream{address.seed, address.chip, p.domain, p.layer};
    if (p.distribution == Distribution::gaussian)
        fill_normals(stream, p.first_element, values);
    else
        fill_uniforms(stream, p.first_element, values);
    for (size_t i = 0; i < values.size(); ++i) values[i] = perturbed(p, parameter.value[i], values[i]);
}

void CpuProgram::perturb_all(CpuChip& chip, const ChipAddress& address) const {
    for (size_t i = 0; i < plan_.parameters.size(); ++i)
        if (plan_.parameters[i].perturbation) perturb(chip, static_cast<ParameterId>(i), address);
    for (size_t i = 0; i < sites_.size(); ++i)
        if (!sites_[i].packed) chip.packed_[i].pack(chip.parameter(sites_[i].weight).data());
}

void CpuProgram::program(Chip& chip, const ChipAddress& address, const Calibration& calibration) const {
    CpuChip& own = static_cast<CpuChip&>(chip);
    if (own.address_ != address) perturb_all(own, address);
    own.address_ = address;
    own.calibration_ = calibration;
    own.report_ = {};
    for (size_t i = 0; i < own.crossbars_.size(); ++i) {
        own.crossbars_[i].program(address, calibration.crossbars[i]);
        own.report_ += own.crossbars_[i].report();
    }
}

}  // namespace mho::cpu
