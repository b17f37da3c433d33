// host/run/workload.h - what a config tries chips on: its network and its images, checked against each other.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host/config/types.h"
#include "host/run/calibration.h"
#include "host/run/devices.h"
#include "kernels/backend.h"
#include "models/data/data_set.h"
#include "models/graph.h"

namespace mho {

class Workload {
  public:
    /// Reads the network and the test images that `config` names. `devices` hold the images and outlive
    /// this. The network takes images as channels x height x width, or as height x width x channels, or flat,
    /// or without the axis of a single channel; where several fit, the first of these. Throws InputError
    /// where it has several inputs or outputs, or does not fit the data.
    Workload(const Devices& devices, const Config& config);

    const Devices& devices() const { return devices_; }
    const std::filesystem::path& network_file() const { return file_; }
    const Graph& network() const { return graph_; }
    const ImageStore& test_images(size_t device = 0) const { return *test_.stores[device]; }
    const std::vector<int32_t>& test_labels() const { return test_.labels; }
    int64_t test_count() const { return static_cast<int64_t>(test_.labels.size()); }

    /// The first images of the training split, read when first asked for: not by several threads at once.
    void read_calibration_images();
    CalibrationRun calibration_run(int threads, size_t device = 0) const;

  private:
    struct Images {
        std::vector<std::unique_ptr<ImageStore>> stores;  // by device
        std::vector<int32_t> labels;
    };

    void check_network() const;
    void check_classes(const DataSet& set) const;
    Images uploaded(const DataSet& set) const;
    void read_test_images();

    const Devices& devices_;
    const Config& config_;
    std::filesystem::path file_;
    Graph graph_;
    Images test_, calibration_;
};

}  // namespace mho
