#include "host/run/run_info.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/config/keys.h"
#include "host/config/write.h"
#include "host/util/sha256.h"
#include "host/util/version.h"

namespace mho {
namespace {

/// What of a config decides how a chip comes out, as TOML. Not how many chips are asked for, how wide their
/// interval may be or how many images are in flight; nor where the network and the images lie, whose contents
/// are compared by their SHA-256.
std::string deciding_config(Config config) {
    const MonteCarloConfig any;
    config.monte_carlo.chips = any.chips;
    config.monte_carlo.until = any.until;
    config.monte_carlo.confidence = any.confidence;
    config.monte_carlo.batch = any.batch;
    config.model.file.clear();
    config.data.directory.clear();
    return to_toml(config);
}

/// SHA-256 of the first `count` images of `store` as they enter `program`.
std::string images_sha256(const Program& program, const ImageStore& store, int64_t count) {
    const TensorId input = program.plan().inputs[0];
    std::vector<float> values(static_cast<size_t>(program.plan().elements(input, 1)));
    const auto stream = program.make_stream(1);
    std::string digests;
    for (int64_t i = 0; i < count; ++i) {
        stream->load(store, i, 1);
        stream->read(input, values);
        digests += sha256_hex({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
    }
    return sha256_hex(digests);
}

/// Of what the chips are tried on: test images and labels, and calibration images where a point has any.
std::string data_sha256(const std::vector<RunPoint>& points, Workload& workload, const Program& digital) {
    std::string digests = images_sha256(digital, workload.test_images(), workload.test_count());
    for (int32_t label : workload.test_labels()) digests += fmt::format(" {}", label);
    const auto is_calibrated = [](const RunPoint& point) { return calibrates(point.config); };
    if (std::any_of(points.begin(), points.end(), is_calibrated)) {
        workload.read_calibration_images();
        const CalibrationRun run = workload.calibration_run(1);
        digests += " " + images_sha256(digital, run.images, run.count);
    }
    return sha256_hex(digests);
}

}  // namespace

RunInfo run_info(const Config& config, const std::vector<RunPoint>& points, Workload& workload,
                 const Program& digital) {
    RunInfo info;
    info.version = kVersion;
    info.config_toml = to_toml(config);
    info.config_sha256 = sha256_hex(info.config_toml);
    info.deciding_config = deciding_config(config);
    info.network_file = config.model.file;
    info.network_sha256 = sha256_hex_of_file(workload.network_file());
    info.network_parameters = workload.network().parameters();
    info.data_name = config.data.name;
    info.data_sha256 = data_sha256(points, workload, digital);
    info.images = workload.test_count();
    info.classes = digital.plan().elements(digital.plan().outputs[0], 1);
    info.chips = config.monte_carlo.chips;
    info.until = config.monte_carlo.until;
    info.confidence = config.monte_carlo.confidence;
    for (const SweepAxis& axis : config.sweep)
        if (const std::string unit = unit_of(*find_key(axis.key), config); !unit.empty())
            info.units[axis.key] = unit;
    info.backend = workload.devices()[0]->name();
    info.precision = std::get<std::string>(value_of(*find_key("monte_carlo.precision"), config));
    return info;
}

}  // namespace mho
