#include "kernels/cuda/stream.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "kernels/base/error.h"
#include "kernels/base/float_bits.h"
#include "kernels/cuda/operations.h"
#include "kernels/cuda/profiling.h"

namespace mho::cuda {
namespace {

Axes row_major(const Dims& dims) {
    Axes axes;
    axes.rank = static_cast<int>(dims.size());
    int64_t stride = 1;
    for (size_t i = dims.size(); i-- > 0;) {
        axes.extent[i] = dims[i];
        axes.stride[i] = stride;
        stride *= dims[i];
    }
    return axes;
}

int64_t code_bytes(const CudaProgram& program, int64_t images) {
    return program.most_codes() * images * static_cast<int64_t>(sizeof(uint16_t));
}

const CrossbarOnChip& crossbar_of(const Plan& plan, const Chip& chip, int step) {
    const Step& s = plan.steps[static_cast<size_t>(step)];
    return static_cast<const CudaChip&>(chip).crossbar(std::get<step::Crossbar>(s.operation).crossbar);
}

}  // namespace

/// One operator() a kind of step, as kernels/cpu/stream.cc has; the fused activation that a kind has not
/// applied itself is applied after it.
struct CudaStream::Call {
    CudaStream& s;
    const CudaChip& chip;
    int index;
    const Step& step;
    bool activated = false;

    cudaStream_t queue() const { return s.queue_.get(); }
    const float* x(size_t i = 0) const { return s.at(step.inputs[i]); }
    Dims x_dims(size_t i = 0) const { return s.dims(step.inputs[i]); }
    float* y() const { return s.at(step.output); }
    Dims y_dims() const { return s.dims(step.output); }
    int64_t count() const { return s.elements(step.output); }
    const float* parameter(ParameterId id) const { return id < 0 ? nullptr : chip.parameter(id); }
    /// For a kernel that applies the step's activation itself.
    Epilogue epilogue() {
        activated = true;
        return Epilogue(step.activation);
    }

    void multiply(ParameterId weight, ParameterId bias) {
        s.product(index).run(x(), parameter(weight), y(), s.workspace_.data(), queue());
        const int64_t channels = y_dims().back();
        finish_product(y(), count() / channels, channels, parameter(bias), epilogue(), queue());
    }
    void operator()(const step::Conv& conv) { multiply(conv.weight, conv.bias); }
    void operator()(const step::Linear& linear) { multiply(linear.weight, linear.bias); }
    void operator()(const step::Crossbar& crossbar) {
        const CrossbarOnChip& own = chip.crossbar(crossbar.crossbar);
        CrossbarParams p = s.encoded(own, step);
        p.y = y();
        p.epilogue = epilogue();
        s.read_columns(own.tables(), own.launch(), p, p.geometry.vectors);
    }
    void operator()(const step::Affine& t) {
        affine(x(), y(), split_at(x_dims(), t.axis), parameter(t.scale), parameter(t.shift), epilogue(),
               queue());
    }
    void operator()(const step::LayerNorm& t) {
        const AxisSplit d = split_at(x_dims(), t.axis);
        layer_norm(t.epsilon, x(), d.outer, d.extent * d.inner, parameter(t.scale), parameter(t.shift), y(),
                   queue());
    }
    void operator()(const step::Activate& t) { activate(t.activation, x(), y(), count(), queue()); }
    void operator()(const step::Binary& t) {
        const Dims d = y_dims();
        if (t.parameter < 0)
            return binary(t.kind, x(0), x_dims(0), x(1), x_dims(1), y(), d, epilogue(), queue());
        const float* p = parameter(t.parameter);
        if (t.parameter_is_left)
            binary(t.kind, p, t.parameter_dims, x(), x_dims(), y(), d, epilogue(), queue());
        else
            binary(t.kind, x(), x_dims(), p, t.parameter_dims, y(), d, epilogue(), queue());
    }
    void operator()(const step::Pool& t) { pool(t, x(), x_dims(), y(), y_dims(), queue()); }
    void operator()(const step::ReduceMean& t) { reduce_mean(t, x(), x_dims(), y(), queue()); }
    void operator()(const step::Alias&) {}
    void operator()(const step::Transpose& t) {
        const Axes from = row_major(x_dims());
        Axes to = from;
        for (int i = 0; i < from.rank; ++i) {
            to.extent[i] = from.extent[t.permutation[static_cast<size_t>(i)]];
            to.stride[i] = from.stride[t.permutation[static_cast<size_t>(i)]];
        }
        copy_strided(to, x(), 0, y(), queue());
    }
    void operator()(const step::Concat& t) {
        const AxisSplit d = split_at(y_dims(), t.axis);
        int64_t begin = 0;
        for (size_t i = 0; i < step.inputs.size(); ++i) {
            const int64_t run = x_dims(i)[static_cast<size_t>(t.axis)] * d.inner;
            concat_part(x(i), d.outer, run, y(), d.extent * d.inner, begin, queue());
            begin += run;
        }
    }
    void operator()(const step::Slice& t) {
        const Axes from = row_major(x_dims());
        Axes to = row_major(y_dims());
        int64_t offset = 0;
        for (int i = 0; i < from.rank; ++i) {
            const size_t axis = static_cast<size_t>(i);
            offset += t.begin[axis] * from.stride[i];
            to.stride[i] = from.stride[i] * t.step[axis];
        }
        copy_strided(to, x(), offset, y(), queue());
    }
    void operator()(const step::Gather& t) {
        gather(x(), split_at(x_dims(), t.axis), s.program_.indices(index),
               static_cast<int64_t>(t.indices.size()), y(), queue());
    }
    void operator()(const step::Pad& t) { pad(t, x(), x_dims(), y(), y_dims(), queue()); }
    void operator()(const step::Softmax& t) { softmax(x(), split_at(x_dims(), t.axis), y(), queue()); }
    void operator()(const step::Quantise& t) {
        quantise(t.levels, chip.calibration().quantise_high[static_cast<size_t>(t.site)], x(), y(), count(),
                 queue());
    }
};

CudaStream::CudaStream(const CudaProgram& program, int64_t max_images, bool keep_all)
    : program_(program),
      plan_(program.plan()),
      max_images_(max_images),
      layout_(plan_memory(plan_, max_images, keep_all)),
      libraries_(make_libraries()),
      memory_(layout_.size),
      codes_(code_bytes(program, max_images)),
      indices_(max_images),
      score_(1),
      images_(max_images),
      staged_indices_{PinnedBuffer<int64_t>(max_images), PinnedBuffer<int64_t>(max_images)} {
    check(cudaMemsetAsync(score_.data(), 0, sizeof(DeviceScore), queue_.get()), "clearing a score");
    for (int i = 0; i < static_cast<int>(plan_.steps.size()); ++i)
        if (program_.site(i)) product(i);
}

int64_t CudaStream::bytes(const CudaProgram& program, int64_t max_images) {
    const int64_t activations = plan_memory(program.plan(), max_images, false).size * int64_t{sizeof(float)};
    const Plan& plan = program.plan();
    size_t narrow = 0;
    for (size_t i = 0; plan.precision == Precision::bf16 && i < plan.steps.size(); ++i)
        if (const auto site = program.site(static_cast<int>(i)))
            narrow = std::max(narrow, bf16_bytes(batch_shape(plan, plan.steps[i], *site, max_images)));
    return activations + code_bytes(program, max_images) + max_images * int64_t{sizeof(int64_t)} +
           static_cast<int64_t>(kMostWorkspaceBytes + narrow);
}

Dims CudaStream::dims(TensorId tensor) const {
    const PlanTensor& t = plan_.tensors[static_cast<size_t>(tensor)];
    Dims d = t.dims;
    if (t.per_image) d[0] *= images_;
    return d;
}

DeviceProduct& CudaStream::product(int index) {
    const auto key = std::pair(index, images_);
    if (const auto found = products_.find(key); found != products_.end()) return *found->second;
    const Step& step = plan_.steps[static_cast<size_t>(index)];
    auto made = libraries_->product(batch_shape(plan_, step, *program_.site(index), images_));
    const int64_t bytes = static_cast<int64_t>(made->workspace_bytes());
    if (workspace_.size() < bytes) {
        queue_.wait();    // what runs may still use the old one,
        graphs_.clear();  // and so does what was recorded
        workspace_ = DeviceBuffer<std::byte>(bytes);
    }
    return *products_.emplace(key, std::move(made)).first->second;
}

/// Work may be put on the queue for this batch and the one before it, no more: what takes score_ waits for
/// little, and the host does not run ahead of a stop flag.
void CudaStream::begin_batch(std::span<const int64_t> indices) {
    if (std::ssize(indices) > max_images_) throw std::invalid_argument("more images than the stream holds");
    batch_done_[batches_ % 2].record(queue_);
    ++batches_;
    batch_done_[batches_ % 2].wait();
    images_ = std::ssize(indices);
    labels_ = nullptr;
    int64_t* const staged = staged_indices_[batches_ % 2].data();
    std::copy(indices.begin(), indices.end(), staged);
    check(
        cudaMemcpyAsync(indices_.data(), staged, indices.size_bytes(), cudaMemcpyHostToDevice, queue_.get()),
        "uploading indices");
}

void CudaStream::load_from_host(const std::vector<float>& images, std::span<const int64_t> indices) {
    const int64_t size = plan_.elements(plan_.inputs[0], 1);
    std::unique_ptr<PinnedBuffer<float>>& staging = staging_[batches_ % 2];
    if (!staging) staging = std::make_unique<PinnedBuffer<float>>(max_images_ * size);
    float* to = staging->data();
    for (int64_t index : indices) to = std::copy_n(images.begin() + index * size, size, to);
    check(cudaMemcpyAsync(at(plan_.inputs[0]), staging->data(),
                          static_cast<size_t>(images_ * size) * sizeof(float), cudaMemcpyHostToDevice,
                          queue_.get()),
          "uploading images");
}

void CudaStream::load_images(const ImageStore& store, std::span<const int64_t> indices) {
    program_.gpu().use();
    const CudaImages& images = static_cast<const CudaImages&>(store);
    begin_batch(indices);
    if (images.labels.size() > 0) labels_ = images.labels.data();
    if (!images.on_host.empty()) return load_from_host(images.on_host, indices);
    const int64_t size = plan_.elements(plan_.inputs[0], 1);
    gather(images.resident.data(), {1, images.images(), size}, indices_.data(), images_, at(plan_.inputs[0]),
           queue_.get());
}

void CudaStream::write(int input, std::span<const float> values, int64_t first, int64_t count) {
    program_.gpu().use();
    begin_batch(consecutive(first, count));
    copy_now(values.data(), static_cast<int64_t>(values.size()), at(plan_.inputs[static_cast<size_t>(input)]),
             cudaMemcpyHostToDevice, queue_);
}

void CudaStream::launch_steps(const CudaChip& chip, int begin, int end) {
    for (int i = begin; i < end; ++i) {
        const Step& step = plan_.steps[static_cast<size_t>(i)];
        Call call{*this, chip, i, step};
        std::visit(call, step.operation);
        if (step.activation && !call.activated)
            activate(*step.activation, call.y(), call.y(), call.count(), queue_.get());
    }
}

void CudaStream::run(const Chip& chip, int begin, int end) {
    const Range range("run batch");
    program_.gpu().use();
    const CudaChip& own = static_cast<const CudaChip&>(chip);
    for (int i = begin; i < end; ++i)
        if (program_.site(i)) product(i);  // what has to take memory does so before anything is recorded
    if (begin > 0 || end < static_cast<int>(plan_.steps.size())) return launch_steps(own, begin, end);
    graphs_[images_].run(own.programming(), queue_, [&] { launch_steps(own, begin, end); });
}

void CudaStream::wait() const {
    program_.gpu().use();
    queue_.wait();
}

void CudaStream::read(TensorId tensor, std::span<float> out) const {
    program_.gpu().use();
    copy_now(at(tensor), elements(tensor), out.data(), cudaMemcpyDeviceToHost, queue_);
}

void CudaStream::add_score() {
    if (!labels_) throw std::invalid_argument("images without labels");
    program_.gpu().use();
    const TensorId logits = plan_.outputs[0];
    cuda::score(at(logits), labels_, indices_.data(), images_, elements(logits) / images_, score_.data(),
                queue_.get());
    scored_images_ += images_;
}

Score CudaStream::take_score() {
    program_.gpu().use();
    const DeviceScore s = downloaded(score_.data(), 1, queue_)[0];
    check(cudaMemsetAsync(score_.data(), 0, sizeof(DeviceScore), queue_.get()), "clearing a score");
    return {std::exchange(scored_images_, 0), static_cast<int64_t>(s.top1), static_cast<int64_t>(s.top5),
            static_cast<int64_t>(s.loss)};
}

InputHistogram CudaStream::measure_input(TensorId tensor) const {
    program_.gpu().use();
    const DeviceExtremes none{0x7fffffff, -0x7fffffff - 1, 0};
    const DeviceBuffer<DeviceExtremes> found = uploaded<DeviceExtremes>({&none, 1}, queue_);
    find_extremes(at(tensor), elements(tensor), found.data(), queue_.get());
    const DeviceExtremes e = downloaded(found.data(), 1, queue_)[0];
    if (e.not_finite)
        throw RunError(
            "calibration met a value that is not finite: check the network and the data's normalisation");
    InputHistogram h(from_ordered_bits(e.lowest), from_ordered_bits(e.highest));
    const std::vector<unsigned long long> zeros(InputHistogram::kBins, 0);
    const DeviceBuffer<unsigned long long> counts = uploaded<unsigned long long>(zeros, queue_);
    count_bins(at(tensor), elements(tensor), h.bins_a_unit(), counts.data(), queue_.get());
    const std::vector<unsigned long long> counted = downloaded(counts.data(), counts.size(), queue_);
    h.counts.assign(counted.begin(), counted.end());
    return h;
}

int64_t CudaStream::vectors(const CrossbarOnChip& crossbar, const Step& step) const {
    return crossbar.tables().positions() * (is_per_image(step) ? images_ : 1);
}

CrossbarParams CudaStream::encoded(const CrossbarOnChip& crossbar, const Step& step) const {
    encode(at(step.inputs[0]), elements(step.inputs[0]), crossbar.codes(),
           crossbar.calibration().x_lsb_inverse, crossbar.launch().kind == ReadKind::wide, codes_.data(),
           queue_.get());
    CrossbarParams p = crossbar.params();
    p.codes = codes_.data();
    p.geometry.vectors = vectors(crossbar, step);
    if (is_per_image(step)) p.images = indices_.data();
    p.positions = crossbar.tables().positions();
    return p;
}

void CudaStream::read_columns(const CrossbarTables& tables, const CrossbarLaunch& launch, CrossbarParams p,
                              int64_t vectors) const {
    const DeviceBuffer<ColumnChunk>& chunks = tables.chunks(launch.block.columns);
    p.chunks = chunks.data();
    read_crossbar(launch, p, vectors, chunks.size(), queue_.get());
}

ColumnHistograms CudaStream::measure_columns(const Chip& chip, int index) const {
    program_.gpu().use();
    const CrossbarOnChip& own = crossbar_of(plan_, chip, index);
    const CrossbarLayer& l = own.tables().layer();
    ColumnHistograms h = column_histograms(l, own.largest_sum());
    constexpr int64_t bins = ColumnHistograms::kBins;
    const int64_t ranges = range_count(l);
    const std::vector<unsigned long long> zeros(static_cast<size_t>(ranges * bins), 0);
    const DeviceBuffer<unsigned long long> counts = uploaded<unsigned long long>(zeros, queue_);
    CrossbarParams p = encoded(own, plan_.steps[static_cast<size_t>(index)]);
    p.read_noise = 0;
    p.ideal_converters = true;
    p.inspect.histogram = counts.data();
    p.inspect.range_of = own.tables().range_of();
    p.inspect.first = h.first;
    p.inspect.width = h.width;
    p.inspect.bins = bins;
    read_columns(own.tables(), own.fitted({.read_noise = false, .ideal_converters = true}), p,
                 p.geometry.vectors);
    const std::vector<unsigned long long> counted = downloaded(counts.data(), counts.size(), queue_);
    for (int64_t r = 0; r < ranges; ++r)
        h.counts.emplace_back(counted.begin() + r * bins, counted.begin() + (r + 1) * bins);
    return h;
}

CrossbarTrace CudaStream::trace(const Chip& chip, int index, int64_t image) const {
    program_.gpu().use();
    const CrossbarOnChip& own = crossbar_of(plan_, chip, index);
    const CrossbarLayer& l = own.tables().layer();
    CrossbarParams p = encoded(own, plan_.steps[static_cast<size_t>(index)]);
    CrossbarTrace t;
    t.positions = p.geometry.vectors / images_;
    t.phases = p.read.phases;
    t.steps = p.read.steps;
    t.row_tiles = l.row_tiles();
    t.conversions = l.conversions();
    p.first_vector = image * t.positions;
    p.geometry.vectors = p.first_vector + t.positions;
    const int64_t reads = l.groups * t.positions * t.phases * t.steps;
    const int64_t sums = reads * t.row_tiles * l.slices() * t.conversions * l.columns();
    const int64_t outputs = t.positions * l.groups * l.outputs;
    const DeviceBuffer<int64_t> column_sum(sums), code(sums), joined(outputs);
    const DeviceBuffer<float> y(outputs);
    const DeviceBuffer<int32_t> input(l.groups * t.positions * l.rows());
    p.inspect.column_sum = column_sum.data();
    p.inspect.code = code.data();
    p.inspect.joined = joined.data();
    p.inspect.input = input.data();
    p.y = y.data();
    read_columns(own.tables(), own.launch(), p, t.positions);
    t.input = downloaded(input.data(), input.size(), queue_);
    t.column_sum = downloaded(column_sum.data(), sums, queue_);
    t.code = downloaded(code.data(), sums, queue_);
    if (p.rule.kind != CodeScale::separate) t.joined = downloaded(joined.data(), outputs, queue_);
    t.output = downloaded(y.data(), outputs, queue_);
    t.conductance = own.conductances(queue_);
    t.converters = own.converters(queue_);
    return t;
}

}  // namespace mho::cuda
