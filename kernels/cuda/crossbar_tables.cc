#include "kernels/cuda/crossbar_tables.h"

#include <cmath>
#include <utility>

#include "kernels/base/error.h"

namespace mho::cuda {
namespace {

std::vector<int32_t> narrowed(const std::vector<int64_t>& values) { return {values.begin(), values.end()}; }

std::vector<RowTap> row_taps(const CrossbarLayer& l, const step::Crossbar& step, const Dims& x) {
    const Window& w = step.window;
    const int64_t channels = x.back();
    std::vector<RowTap> taps;
    for (int64_t row = 0; row < l.inputs; ++row) {
        const int64_t count = w.kernel[0] * w.kernel[1] * w.kernel[2], channel = row / count,
                      tap = row % count;
        const int64_t d = tap / (w.kernel[1] * w.kernel[2]) * w.dilation[0];
        const int64_t h = tap / w.kernel[2] % w.kernel[1] * w.dilation[1],
                      v = tap % w.kernel[2] * w.dilation[2];
        const int64_t pixel = step.is_linear ? 0 : (d * x[2] + h) * x[3] + v;
        taps.push_back({static_cast<int32_t>(pixel * channels + channel), static_cast<int16_t>(d),
                        static_cast<int16_t>(h), static_cast<int16_t>(v)});
    }
    return taps;
}

VectorGeometry geometry_of(const CrossbarLayer& l, const step::Crossbar& step, const Dims& x, const Dims& y) {
    VectorGeometry g;
    g.channels = static_cast<int32_t>(x.back());
    g.group_channels = static_cast<int32_t>(x.back() / l.groups);
    if (step.is_linear) return g;  // every row of the matrix is an image of one position
    const auto extent = [](const Dims& dims, size_t axis) { return static_cast<int32_t>(dims[axis]); };
    g.in_depth = extent(x, 1), g.in_height = extent(x, 2), g.in_width = extent(x, 3);
    g.out_depth = extent(y, 1), g.out_height = extent(y, 2), g.out_width = extent(y, 3);
    for (size_t axis = 0; axis < 3; ++axis) {
        g.stride[axis] = static_cast<int32_t>(step.window.stride[axis]);
        g.pad[axis] = static_cast<int32_t>(step.window.pad_begin[axis]);
    }
    return g;
}

}  // namespace

CrossbarTables::CrossbarTables(const CrossbarLayer& l, const step::Crossbar& step, const Dims& x,
                               const Dims& y, const WorkQueue& queue)
    : layer_(l), positions_(1), codes_(1) {
    for (size_t axis = 0; axis + 1 < y.size(); ++axis) positions_ *= y[axis];
    for (int64_t extent : x) codes_ *= extent;
    target_ = uploaded<int16_t>(l.target, queue);
    row_begin_ = uploaded<int32_t>(narrowed(l.row_begin), queue);
    chunks_ = uploaded<ColumnChunk>(column_chunks(l, kMostColumns), queue);
    narrow_chunks_ = uploaded<ColumnChunk>(column_chunks(l, kMostColumns / 2), queue);
    taps_ = uploaded<RowTap>(row_taps(l, step, x), queue);
    std::vector<int32_t> ranges(static_cast<size_t>(converter_elements(l)), -1);
    std::vector<int64_t> draws(ranges.size(), 0);
    const DrawExtents extents = draw_extents(l);
    for_each_converter(l, [&](int64_t g, int64_t rt, int s, int p, int64_t c, size_t element) {
        ranges[element] = static_cast<int32_t>(range_index(l, g, rt, s, p, c));
        draws[element] =
            static_cast<int64_t>(converter_element(extents, g, rt, s, p, first_of_converter(l, c)));
    });
    ranges_ = uploaded<int32_t>(ranges, queue);
    draws_ = uploaded<int64_t>(draws, queue);

    params_.geometry = geometry_of(l, step, x, y);
    params_.geometry.taps = taps_.data();
    params_.inputs = static_cast<int32_t>(l.inputs);
    params_.outputs = static_cast<int32_t>(l.outputs);
    params_.groups = static_cast<int32_t>(l.groups);
    params_.row_tiles = static_cast<int32_t>(l.row_tiles());
    params_.slices = l.slices();
    params_.polarities = l.polarities();
    params_.conversions = l.conversions();
    for (int s = 0; s < l.slices(); ++s) params_.slice_weight[s] = static_cast<int32_t>(l.slice(s).weight);
    params_.row_begin = row_begin_.data();
    params_.cells.target = target_.data();
    params_.cells.columns = l.columns();
    params_.cells.model = cell_model(l);
    params_.cells.layer = l.layer;
    params_.cells.extents = extents;
    params_.adc = adc_model(l);
    params_.largest_code = (int32_t{1} << l.adc.bits) - 1;
}

CrossbarOnChip::CrossbarOnChip(const CrossbarTables& tables, size_t shared_bytes)
    : tables_(tables), shared_bytes_(shared_bytes), params_(tables.params()), survey_(1) {
    const CrossbarLayer& l = tables.layer();
    report_.cells = cells_on_arrays(l);
    report_.write_verify_tries = report_.cells;
    if (l.bias_rows > 0) target_ = DeviceBuffer<int16_t>(static_cast<int64_t>(l.target.size()));
}

void CrossbarOnChip::program(const ChipAddress& address, const CrossbarCalibration& calibration,
                             const WorkQueue& queue) {
    const CellsOnChip wanted{address, calibration.bias_level};
    address_ = address;
    calibration_ = calibration;
    params_.cells.seed = address.seed;
    params_.cells.keys = philox_keys(address.seed);
    params_.cells.chip = address.chip;
    params_.cells.nominal = address.nominal;
    const CodePlan plan = codes();
    const int dac_bits = static_cast<int>(tables_.layer().crossbar.dac_bits);
    params_.read = {
        plan.phases, plan.steps, dac_bits, plan.offset, calibration.bias_drive, std::ldexp(1.0f, -dac_bits)};
    params_.cells.extents = draw_extents(tables_.layer(), plan.reads());
    params_.read_noise = address.nominal ? 0.0f : read_noise_factor(tables_.layer());
    params_.ideal_converters = ideal_converters();
    params_.adc_noise = params_.ideal_converters ? 0.0f : static_cast<float>(tables_.layer().adc.noise);
    if (surveyed_cells_ != wanted) {
        place_bias(queue);
        survey(queue);
        surveyed_cells_ = wanted;
    }
    launch_ = fitted({params_.read_noise > 0, params_.ideal_converters, params_.adc_noise > 0});
    set_joining(queue);
    if (!params_.ideal_converters && !calibration_.lo.empty()) set_converters(queue);
}

void CrossbarOnChip::place_bias(const WorkQueue& queue) {
    const CrossbarLayer& l = tables_.layer();
    if (l.bias_rows == 0) return;
    const std::vector<int16_t> cells = targets_with_bias(l, calibration_);
    copy_now(cells.data(), target_.size(), target_.data(), cudaMemcpyHostToDevice, queue);
    params_.cells.target = target_.data();
}

void CrossbarOnChip::survey(const WorkQueue& queue) {
    check(cudaMemsetAsync(survey_.data(), 0, sizeof(CellSurvey), queue.get()), "clearing a survey");
    survey_cells(params_.cells, tables_.row_begin(), survey_.data(), nullptr, queue.get());
    surveyed_ = true;
}

void CrossbarOnChip::collect(const WorkQueue& queue) {
    if (!std::exchange(surveyed_, false)) return;
    const CellSurvey s = downloaded(survey_.data(), 1, queue)[0];
    report_.clipped_cells = static_cast<int64_t>(s.clipped);
    report_.stuck_cells = static_cast<int64_t>(s.stuck);
    largest_sum_ = static_cast<int64_t>(s.largest_column) * tables_.layer().largest_part();
}

CrossbarLaunch CrossbarOnChip::fitted(const ReadEffects& effects) const {
    CrossbarFit fit = fit_crossbar(tables_.layer(), codes(), effects, shared_bytes_);
    if (!fit.launch) throw InputError(fit.why_not);
    return *std::move(fit.launch);
}

void CrossbarOnChip::set_joining(const WorkQueue& queue) {
    const CrossbarLayer& l = tables_.layer();
    upload_into<OutputScale>(scales_, output_scales(l, calibration_), queue);
    params_.scales = scales_.data();
    const bool known = ideal_converters() || !calibration_.step.empty();
    if (!known) return;  // in the middle of calibration
    params_.rule = joining_rule(l, calibration_, ideal_converters());
    if (params_.rule.kind != CodeScale::separate) return;
    std::vector<float> scale(static_cast<size_t>(converter_elements(l))), offset(scale.size());
    for_each_converter(l, [&](int64_t g, int64_t rt, int s, int p, int64_t c, size_t element) {
        const ArrayScale array = array_scale(l, calibration_, g, rt, s, p, c);
        scale[element] = array.scale;
        offset[element] = array.offset;
    });
    upload_into<float>(array_scale_, scale, queue);
    upload_into<float>(array_offset_, offset, queue);
    params_.array_scale = array_scale_.data();
    params_.array_offset = array_offset_.data();
}

void CrossbarOnChip::set_converters(const WorkQueue& queue) {
    const CrossbarLayer& l = tables_.layer();
    if (converter_a_.size() == 0) {
        converter_a_ = DeviceBuffer<float>(tables_.converters());
        converter_b_ = DeviceBuffer<float>(tables_.converters());
        converter_own_ = DeviceBuffer<float>(tables_.converters() * params_.adc.numbers);
    }
    upload_into<float>(lo_, calibration_.lo, queue);
    upload_into<float>(step_, calibration_.step, queue);
    const ConverterModel model{params_.adc,
                               static_cast<float>(l.adc.gain_sigma),
                               static_cast<float>(l.adc.offset_sigma),
                               address_.seed,
                               address_.chip,
                               l.layer,
                               lo_.data(),
                               step_.data()};
    make_converters(tables_.converter_table(), model,
                    {converter_a_.data(), converter_b_.data(), converter_own_.data()}, queue.get());
    params_.converters = {converter_a_.data(), converter_b_.data(), converter_own_.data(),
                          tables_.converters()};
}

std::vector<int16_t> CrossbarOnChip::conductances(const WorkQueue& queue) const {
    const CellSurvey nothing{};
    const DeviceBuffer<CellSurvey> counted = uploaded<CellSurvey>({&nothing, 1}, queue);
    const DeviceBuffer<int16_t> cells(report_.cells);
    survey_cells(params_.cells, tables_.row_begin(), counted.data(), cells.data(), queue.get());
    return downloaded(cells.data(), cells.size(), queue);
}

ConverterNumbers CrossbarOnChip::converters(const WorkQueue& queue) const {
    if (ideal_converters()) return {};
    const auto all = [&](const DeviceBuffer<float>& numbers) {
        return downloaded(numbers.data(), numbers.size(), queue);
    };
    return in_trace_order(tables_.layer(), {all(converter_a_), all(converter_b_), all(converter_own_)});
}

}  // namespace mho::cuda
