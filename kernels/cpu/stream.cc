#include "kernels/cpu/stream.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <stdexcept>

#include "kernels/base/error.h"
#include "kernels/cpu/crossbar_read.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/memory.h"
#include "kernels/cpu/movement.h"
#include "kernels/cpu/normalise.h"
#include "kernels/cpu/pooling.h"
#include "kernels/cpu/score.h"
#include "kernels/steps/axes.h"

namespace mho::cpu {
namespace {

/// `count` zeros. Throws std::bad_alloc where they do not fit.
std::vector<float> zeros(int64_t count) {
    if (count > available_memory() / static_cast<int64_t>(sizeof(float))) throw std::bad_alloc();
    return std::vector<float>(static_cast<size_t>(count));
}

}  // namespace

/// What a step needs to know: where its tensors lie and which chip it runs on. One operator() a kind of step;
/// the fused activation that a kind has not applied itself is applied after it.
struct CpuStream::Call {
    CpuStream& s;
    const CpuChip& chip;
    int index;
    const Step& step;
    bool activated = false;

    const float* x(size_t i = 0) const { return s.at(step.inputs[i]); }
    std::vector<int64_t> x_dims(size_t i = 0) const { return s.dims(step.inputs[i]); }
    float* y() const { return s.at(step.output); }
    std::vector<int64_t> y_dims() const { return s.dims(step.output); }
    int64_t count() const { return s.elements(step.output); }
    const float* parameter(ParameterId id) const { return id < 0 ? nullptr : chip.parameter(id).data(); }

    void multiply(ParameterId bias) {
        s.product(index).run(s.stream_, x(), chip.packed_weight(s.program_.site_of(index)), parameter(bias),
                             y(), s.scratch_.data());
        activated = step.activation && fuses(*step.activation);
    }
    void operator()(const step::Conv& conv) { multiply(conv.bias); }
    void operator()(const step::Linear& linear) { multiply(linear.bias); }
    void operator()(const step::Crossbar& crossbar) {
        const CrossbarChip& own = chip.crossbar(crossbar.crossbar);
        const Patches patches = s.encode(own, index);
        read_crossbar(own, s.input(patches, index), y());
    }
    void operator()(const step::Affine& affine) {
        activated = step.activation && step.activation->kind == ActivationKind::relu;
        cpu::affine(x(), y(), split_at(x_dims(), affine.axis), parameter(affine.scale),
                    parameter(affine.shift), activated);
    }
    void operator()(const step::LayerNorm& norm) {
        const AxisSplit d = split_at(x_dims(), norm.axis);
        layer_norm(norm.epsilon, x(), d.outer, d.extent * d.inner, parameter(norm.scale),
                   parameter(norm.shift), y());
    }
    void operator()(const step::Activate& a) { activate(a.activation, x(), y(), count()); }
    void operator()(const step::Binary& b) {
        if (b.parameter < 0) return binary(b.kind, x(0), x_dims(0), x(1), x_dims(1), y(), y_dims());
        const float* p = parameter(b.parameter);
        if (b.parameter_is_left)
            binary(b.kind, p, b.parameter_dims, x(), x_dims(), y(), y_dims());
        else
            binary(b.kind, x(), x_dims(), p, b.parameter_dims, y(), y_dims());
    }
    void operator()(const step::Pool& p) { pool(p, x(), x_dims(), y(), y_dims()); }
    void operator()(const step::ReduceMean& mean) { reduce_mean(mean, x(), x_dims(), y()); }
    void operator()(const step::Alias&) {}
    void operator()(const step::Transpose& t) { transpose(t, x(), x_dims(), y()); }
    void operator()(const step::Concat& concat) {
        int64_t begin = 0;
        for (size_t i = 0; i < step.inputs.size(); ++i) {
            const std::vector<int64_t> part = x_dims(i);
            concat_part(concat.axis, x(i), part, begin, y(), y_dims());
            begin += part[static_cast<size_t>(concat.axis)];
        }
    }
    void operator()(const step::Slice& t) { slice(t, x(), x_dims(), y(), y_dims()); }
    void operator()(const step::Gather& g) { gather(g, x(), x_dims(), y()); }
    void operator()(const step::Pad& p) { pad(p, x(), x_dims(), y(), y_dims()); }
    void operator()(const step::Softmax& t) { softmax(x(), split_at(x_dims(), t.axis), y()); }
    void operator()(const step::Quantise& q) {
        quantise(q.levels, chip.calibration().quantise_high[static_cast<size_t>(q.site)], x(), y(), count());
    }
};

CpuStream::CpuStream(const CpuProgram& program, int64_t max_images, bool keep_all)
    : program_(program),
      plan_(program.plan()),
      max_images_(max_images),
      layout_(plan_memory(plan_, max_images, keep_all)),
      memory_(zeros(layout_.size)),
      images_(max_images),
      stream_(engine()) {
    for (int i = 0; i < static_cast<int>(plan_.steps.size()); ++i)
        if (program_.site_of(i) >= 0) product(i);
}

std::vector<int64_t> CpuStream::dims(TensorId tensor) const {
    const PlanTensor& t = plan_.tensors[static_cast<size_t>(tensor)];
    std::vector<int64_t> d = t.dims;
    if (t.per_image) d[0] *= images_;
    return d;
}

Product& CpuStream::product(int index) {
    const auto key = std::pair(index, images_);
    if (const auto found = products_.find(key); found != products_.end()) return found->second;
    const PackedSite& site = program_.sites()[static_cast<size_t>(program_.site_of(index))];
    const Step& step = plan_.steps[static_cast<size_t>(index)];
    const ProductShape shape = batch_shape(plan_, step, site, images_);
    Product& made =
        products_.try_emplace(key, shape, site.bias >= 0, step.activation, site.weight_format).first->second;
    if (scratch_.size() < made.scratch_bytes()) scratch_.resize(made.scratch_bytes());
    return made;
}

void CpuStream::begin_batch(std::span<const int64_t> indices) {
    if (std::ssize(indices) > max_images_) throw std::invalid_argument("more images than the stream holds");
    images_ = std::ssize(indices);
    indices_.assign(indices.begin(), indices.end());
    labels_.clear();
}

void CpuStream::load_images(const ImageStore& store, std::span<const int64_t> indices) {
    const CpuImages& images = static_cast<const CpuImages&>(store);
    begin_batch(indices);
    const int64_t size = plan_.elements(plan_.inputs[0], 1);
    float* to = at(plan_.inputs[0]);
    for (int64_t index : indices) to = std::copy_n(images.values.begin() + index * size, size, to);
    if (images.labels.empty()) return;
    for (int64_t index : indices) labels_.push_back(images.labels[static_cast<size_t>(index)]);
}

void CpuStream::write(int input, std::span<const float> values, int64_t first, int64_t count) {
    begin_batch(consecutive(first, count));
    std::copy(values.begin(), values.end(), at(plan_.inputs[static_cast<size_t>(input)]));
}

void CpuStream::run(const Chip& chip, int begin, int end) {
    for (int i = begin; i < end; ++i) {
        const Step& step = plan_.steps[static_cast<size_t>(i)];
        Call call{*this, static_cast<const CpuChip&>(chip), i, step};
        std::visit(call, step.operation);
        if (step.activation && !call.activated) activate(*step.activation, call.y(), call.y(), call.count());
    }
}

void CpuStream::read(TensorId tensor, std::span<float> out) const {
    std::copy_n(at(tensor), static_cast<size_t>(elements(tensor)), out.begin());
}

void CpuStream::add_score() {
    if (labels_.size() != static_cast<size_t>(images_)) throw std::invalid_argument("images without labels");
    const TensorId logits = plan_.outputs[0];
    score_ += score({at(logits), static_cast<size_t>(elements(logits))}, labels_);
}

InputHistogram CpuStream::measure_input(TensorId tensor) const {
    const std::span<const float> x(at(tensor), static_cast<size_t>(elements(tensor)));
    const auto [low, high] = std::minmax_element(x.begin(), x.end());
    if (!std::isfinite(*low) || !std::isfinite(*high) ||
        std::any_of(x.begin(), x.end(), [](float v) { return v != v; }))
        throw RunError(
            "calibration met a value that is not finite: check the network and the data's normalisation");
    InputHistogram h(*low, *high);
    h.counts.assign(static_cast<size_t>(InputHistogram::kBins), 0);
    for (float v : x) ++h.counts[static_cast<size_t>(std::abs(v) * h.bins_a_unit())];
    return h;
}

static const CrossbarChip& crossbar_of(const Plan& plan, const Chip& chip, int step) {
    const Step& s = plan.steps[static_cast<size_t>(step)];
    return static_cast<const CpuChip&>(chip).crossbar(std::get<step::Crossbar>(s.operation).crossbar);
}

Patches CpuStream::encode(const CrossbarChip& chip, int index) const {
    const Step& step = plan_.steps[static_cast<size_t>(index)];
    const CrossbarLayer& layer = chip.layer();
    const CrossbarCalibration& calibration = chip.calibration();
    Patches patches(std::get<step::Crossbar>(step.operation), layer.groups, dims(step.inputs[0]),
                    dims(step.output));
    patches.encode(at(step.inputs[0]), code_plan(layer.crossbar, calibration.is_signed),
                   calibration.x_lsb_inverse);
    return patches;
}

CrossbarInput CpuStream::input(const Patches& patches, int index) const {
    const Step& step = plan_.steps[static_cast<size_t>(index)];
    if (!plan_.tensors[static_cast<size_t>(step.output)].per_image) return {patches};
    return {patches, indices_, patches.vectors() / images_};
}

ColumnHistograms CpuStream::measure_columns(const Chip& chip, int step) const {
    const CrossbarChip& own = crossbar_of(plan_, chip, step);
    const Patches patches = encode(own, step);
    return cpu::measure_columns(own, input(patches, step));
}

CrossbarTrace CpuStream::trace(const Chip& chip, int step, int64_t image) const {
    const CrossbarChip& own = crossbar_of(plan_, chip, step);
    const Patches patches = encode(own, step);
    const int64_t positions = patches.vectors() / images_;
    return trace_crossbar(own, input(patches, step), image * positions, positions);
}

}  // namespace mho::cpu
