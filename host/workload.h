// host/workload.h - what a config tries chips on: its network and its images, checked against each other.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host/calibration.h"
#include "host/config.h"
#include "host/monte_carlo.h"
#include "kernels/backend.h"
#include "models/data_set.h"
#include "models/graph.h"

namespace mho {

class Workload {
  public:
    /// Reads the network and the test images that `config` names. `backend` holds the images and outlives
    /// this. The network takes images as channels x height x width, or as height x width x channels, or flat,
    /// or without the axis of a single channel; where several fit, the first of these. Throws InputError
    /// where it has several inputs or outputs, or does not fit the data.
    Workload(const Backend& backend, const Config& config);

    const std::filesystem::path& network_file() const { return file_; }
    const Graph& network() const { return graph_; }
    TestImages test_images() const { return {*test_.store, test_.labels}; }
    int64_t test_count() const { return static_cast<int64_t>(test_.labels.size()); }

    /// The first images of the training split, read when first asked for.
    CalibrationRun calibration_run(int threads);

  private:
    struct Images {
        std::unique_ptr<ImageStore> store;
        std::vector<int32_t> labels;
    };

    void check_network() const;
    void check_classes(const DataSet& set) const;
    Images uploaded(const DataSet& set) const;
    void read_test_images();

    const Backend& backend_;
    const Config& config_;
    std::filesystem::path file_;
    Graph graph_;
    Images test_, calibration_;
};

}  // namespace mho
