#include "host/run/workload.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "kernels/base/error.h"
#include "models/onnx/onnx.h"
#include "models/zoo.h"

namespace mho {
namespace {

DataOptions data_options(const DataConfig& c, const std::string& split, int64_t images, const char* key) {
    DataOptions options;
    options.name = c.name;
    options.directory = c.directory;
    options.split = split;
    options.images = images;
    options.images_key = key;
    options.full_scale = static_cast<float>(c.full_scale);
    options.mean.assign(c.mean.begin(), c.mean.end());
    options.std.assign(c.std.begin(), c.std.end());
    return options;
}

enum class Layout { channels_first, channels_last };

/// How a network whose input is `dims` takes the images of `set`, or nothing where it takes others. Flat, and
/// without the axis of a single channel, they lie channels first.
std::optional<Layout> layout_of(const std::vector<int64_t>& dims, const DataSet& set) {
    using Dims = std::vector<int64_t>;
    if (dims == Dims{1, set.channels, set.height, set.width}) return Layout::channels_first;
    if (dims == Dims{1, set.height, set.width, set.channels}) return Layout::channels_last;
    if (dims == Dims{1, set.image_size()}) return Layout::channels_first;
    if (set.channels == 1 && dims == Dims{1, set.height, set.width}) return Layout::channels_first;
    return std::nullopt;
}

/// Images of channels x pixels, one after the other, as pixels x channels.
std::vector<float> channels_last(const std::vector<float>& images, size_t channels, size_t pixels) {
    std::vector<float> turned(images.size());
    for (size_t first = 0; first < images.size(); first += channels * pixels)
        for (size_t c = 0; c < channels; ++c)
            for (size_t p = 0; p < pixels; ++p)
                turned[first + p * channels + c] = images[first + c * pixels + p];
    return turned;
}

}  // namespace

Workload::Workload(const Devices& devices, const Config& config)
    : devices_(devices), config_(config), file_(find_model(config.model.file)), graph_(read_onnx(file_)) {
    check_network();
    read_test_images();
}

void Workload::check_network() const {
    if (graph_.inputs.size() != 1 || graph_.outputs.size() != 1)
        throw InputError(
            fmt::format("{}: a network on chips needs one input and one output, this one has {} and {}",
                        file_.string(), graph_.inputs.size(), graph_.outputs.size()));
}

void Workload::read_test_images() {
    const int64_t images = config_.data.images, each = config_.monte_carlo.images_per_chip;
    const bool fewer = each > 0 && (images == 0 || each < images);
    const DataSet set = read_data_set(
        fewer ? data_options(config_.data, config_.data.split, each, "monte_carlo.images_per_chip")
              : data_options(config_.data, config_.data.split, images, "data.images"));
    test_ = uploaded(set);
    check_classes(set);
}

void Workload::check_classes(const DataSet& set) const {
    const int64_t told_apart = graph_.values[static_cast<size_t>(graph_.outputs[0])].shape.size();
    if (told_apart != set.classes && !(set.more_classes && told_apart > set.classes))
        throw InputError(fmt::format("{} tells {} classes apart, {} has {}", file_.string(), told_apart,
                                     set.name, set.classes));
}

Workload::Images Workload::uploaded(const DataSet& set) const {
    const std::vector<int64_t>& dims = graph_.values[static_cast<size_t>(graph_.inputs[0])].shape.dims;
    const std::optional<Layout> layout = layout_of(dims, set);
    if (!layout)
        throw InputError(fmt::format(
            "{} takes images of [{}], {} has [{} x {} x {}] (channels, height, width)", file_.string(),
            fmt::join(dims.begin() + 1, dims.end(), " x "), set.name, set.channels, set.height, set.width));
    std::vector<float> values = normalised(set, 0, set.count);
    if (*layout == Layout::channels_last && set.channels > 1)
        values = channels_last(values, static_cast<size_t>(set.channels),
                               static_cast<size_t>(set.height * set.width));
    Images images{{}, set.labels};
    for (size_t d = 0; d < devices_.size(); ++d)
        images.stores.push_back(
            devices_[d]->upload(d + 1 < devices_.size() ? values : std::move(values), set.labels, set.count));
    return images;
}

void Workload::read_calibration_images() {
    if (calibration_.stores.empty())
        calibration_ = uploaded(read_data_set(
            data_options(config_.data, "train", config_.data.calibration_images, "data.calibration_images")));
}

CalibrationRun Workload::calibration_run(int threads, size_t device) const {
    return {*calibration_.stores[device], static_cast<int64_t>(calibration_.labels.size()), threads};
}

}  // namespace mho
