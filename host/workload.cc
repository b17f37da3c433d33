#include "host/workload.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "kernels/error.h"
#include "models/data_set.h"
#include "models/onnx.h"
#include "models/zoo.h"

namespace mho {
namespace {

DataOptions data_options(const DataConfig& c, const std::string& split, int64_t images) {
    DataOptions options;
    options.name = c.name;
    options.directory = c.directory;
    options.split = split;
    options.images = images;
    options.full_scale = static_cast<float>(c.full_scale);
    options.mean.assign(c.mean.begin(), c.mean.end());
    options.std.assign(c.std.begin(), c.std.end());
    return options;
}

}  // namespace

Workload::Workload(const Backend& backend, const Config& config)
    : backend_(backend), config_(config), file_(find_model(config.model.file)), graph_(read_onnx(file_)) {
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
    int64_t count = config_.data.images;
    if (config_.monte_carlo.images_per_chip > 0)
        count = count > 0 ? std::min(count, config_.monte_carlo.images_per_chip)
                          : config_.monte_carlo.images_per_chip;
    const DataSet set = read_data_set(data_options(config_.data, config_.data.split, count));
    const Shape& input = graph_.values[static_cast<size_t>(graph_.inputs[0])].shape;
    const std::vector<int64_t> image{1, set.channels, set.height, set.width};
    if (input.dims != image)
        throw InputError(fmt::format("{} takes images of [{}], {} has [{}]", file_.string(),
                                     fmt::join(input.dims.begin() + 1, input.dims.end(), " x "), set.name,
                                     fmt::join(image.begin() + 1, image.end(), " x ")));
    const Shape& output = graph_.values[static_cast<size_t>(graph_.outputs[0])].shape;
    if (output.size() != set.classes)
        throw InputError(fmt::format("{} tells {} classes apart, {} has {}", file_.string(), output.size(),
                                     set.name, set.classes));
    test_ = {backend_.upload(normalised(set, 0, set.count), set.count), set.labels};
}

CalibrationRun Workload::calibration_run(int threads) {
    if (!calibration_.store) {
        const DataSet set =
            read_data_set(data_options(config_.data, "train", config_.data.calibration_images));
        calibration_ = {backend_.upload(normalised(set, 0, set.count), set.count), set.labels};
    }
    return {*calibration_.store, static_cast<int64_t>(calibration_.labels.size()), threads};
}

}  // namespace mho
