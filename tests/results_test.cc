// A run as files and as a table, from runs made by hand: what is counted, and what is said where something is
// missing.
#include "host/results/results.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "host/results/findings.h"
#include "host/results/gnuplot.h"
#include "host/results/report.h"
#include "host/results/tables.h"

namespace mho {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

/// A run of one point a list, with these numbers of right images of `images`, one a chip.
RunResult run_of(int64_t images, int64_t digital, const std::vector<std::vector<int64_t>>& points) {
    RunResult run;
    run.info.images = images;
    run.info.chips = points.empty() ? 0 : std::ssize(points[0]);
    run.digital = Outcome{images, digital, images, 0};
    for (size_t p = 0; p < points.size(); ++p) {
        PointResult point{{{{"device.sigma", std::to_string(p)}}}, {}};
        for (size_t c = 0; c < points[p].size(); ++c) {
            ChipResult chip{{images, points[p][c], images, 0}};
            chip.chip = static_cast<int64_t>(c);
            point.chips.push_back(chip);
        }
        run.points.push_back(point);
    }
    return run;
}

TEST(Yield, counts_a_chip_that_loses_exactly_as_much_as_asked) {
    // 70 of 100 images less 1, 2, 5, 10 points: in floating point 0.7 - 0.01 is above 0.69.
    for (int64_t digital = 0; digital <= 100; ++digital) {
        const std::vector<int64_t> chips{digital, std::max<int64_t>(0, digital - 1),
                                         std::max<int64_t>(0, digital - 2), std::max<int64_t>(0, digital - 5),
                                         std::max<int64_t>(0, digital - 10)};
        const json yield = json::parse(results_json(run_of(100, digital, {chips})))["points"][0]["yield"];
        const int64_t lost[] = {1, 2, 5, 10};
        for (size_t i = 0; i < 4; ++i) {
            const int64_t reached =
                std::count_if(chips.begin(), chips.end(), [&](int64_t c) { return c >= digital - lost[i]; });
            EXPECT_DOUBLE_EQ(yield[i]["share"].get<double>(), static_cast<double>(reached) / 5)
                << digital << " less " << lost[i];
        }
    }
}

TEST(Yield, is_of_percentage_points_however_many_images_there_are) {
    const json yield =
        json::parse(results_json(run_of(1000, 700, {{691, 690, 689, 680}})))["points"][0]["yield"];
    EXPECT_DOUBLE_EQ(yield[0]["at_least"].get<double>(), 0.69);
    EXPECT_DOUBLE_EQ(yield[0]["share"].get<double>(), 0.5);
    EXPECT_DOUBLE_EQ(yield[1]["share"].get<double>(), 1);
}

/// Three chips with numbers of their own for everything that a chip has.
RunResult run_of_three_chips() {
    RunResult run = run_of(1000, 900, {{880, 860, 890}});
    const int64_t top5[] = {990, 980, 1000}, halves[] = {1, 2, 3};
    for (size_t c = 0; c < 3; ++c) {
        ChipResult& chip = run.points[0].chips[c];
        chip.top5 = top5[c];
        chip.loss = halves[c] * 500 * (int64_t{1} << 20);
        chip.cells = 5000;
        chip.clipped_cells = static_cast<int64_t>(c) + 7;
    }
    return run;
}

TEST(Results, say_of_every_chip_what_it_had) {
    const RunResult run = run_of_three_chips();
    EXPECT_EQ(chips_csv(run),
              "point,device.sigma,chip,top1,top5,loss,clipped_cells\n"
              "0,0,0,0.88,0.99,0.5,7\n"
              "0,0,1,0.86,0.98,1,8\n"
              "0,0,2,0.89,1,1.5,9\n");
    const json chip = json::parse(results_json(run))["points"][0]["chips"][1];
    EXPECT_EQ(chip,
              json::parse(R"({"chip": 1, "top1": 0.86, "top5": 0.98, "loss": 1.0, "clipped_cells": 8})"));
}

TEST(Results, are_a_row_a_point_in_the_table) {
    // sd 1.5275. SciPy's beta quantiles of Korn and Graubard's interval, and of Clopper and Pearson's for 900
    // of 1000.
    EXPECT_THAT(
        points_table(run_of_three_chips()),
        HasSubstr("digital: top-1 90.00 % (new images: 87.97 to 91.79), top-5 100.00 %, loss 0.0000\n"
                  "intervals at 95 %: of the mean over all chips, on these 1000 images and on new ones\n\n"
                  "device.sigma  chips  top-1 %    these images      new images    sd  worst  median  top-5 "
                  "%    loss\n"
                  "           0      3    87.67  83.30 to 91.23  83.30 to 91.23  1.53  86.00   88.00    "
                  "99.00  1.0000\n"));
}

TEST(Results, are_a_few_lines_a_point_where_the_table_is_too_wide) {
    RunResult run = run_of_three_chips();
    run.info.units["device.sigma"] = "of g_max";
    EXPECT_THAT(points_table(run, 130), HasSubstr("device.sigma, of g_max  chips"));
    const std::string text = points_table(run, 60);
    EXPECT_THAT(text, HasSubstr("device.sigma, of g_max = 0\n  chips        3\n  top-1 %      87.67\n  these "
                                "images 83.30 to 91.23\n"));
    std::istringstream lines(text.substr(text.find("\n\n")));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 60u) << line;
}

TEST(Results, a_run_without_a_baseline_says_so) {
    RunResult run = run_of(100, 70, {{70, 60}});
    run.digital.reset();
    const json j = json::parse(results_json(run));
    EXPECT_TRUE(j["digital"].is_null());
    EXPECT_TRUE(j["points"][0]["yield"].is_null());
    EXPECT_THAT(points_table(run), HasSubstr("digital: not finished\nintervals at 95 %"));
}

/// Every path of a value in `j`, arrays as "[]"; what a point sets is one value.
void add_paths(const json& j, const std::string& path, std::set<std::string>& paths) {
    const bool leaf = path == "points[].set" || !j.is_structured();
    if (leaf && !j.is_null()) paths.insert(path);
    if (leaf) return;
    for (const auto& [key, value] : j.items())
        add_paths(value, j.is_array() ? path + "[]" : path + (path.empty() ? "" : ".") + key, paths);
}

TEST(Results, holds_the_fields_that_the_documentation_lists) {
    std::ifstream file(MHO_SOURCE_DIR "/docs/architecture.md");
    std::ostringstream text;
    text << file.rdbuf();
    const std::string page = text.str();
    const std::string list = page.substr(0, page.find("<!-- end of results.json -->"))
                                 .substr(page.find("<!-- results.json: a test compares -->"));
    std::set<std::string> documented, written;
    const std::regex field("\n\\| `([^`]+)` \\|");
    for (std::sregex_iterator i(list.begin(), list.end(), field), end; i != end; ++i)
        documented.insert((*i)[1]);
    std::vector<int64_t> a, b;
    for (int64_t c = 0; c < 40; ++c) a.push_back(880 + 10 * (c % 3)), b.push_back(700 + 13 * (c % 5));
    add_paths(json::parse(results_json(run_of(1000, 900, {a, b}))), "", written);
    EXPECT_EQ(written, documented);
}

/// Times and what follows from them, by their paths in the documentation.
void remove_times(json& j) {
    for (const char* key : {"seconds", "images_per_second"}) j.erase(key);
    for (json& point : j["points"])
        for (const char* key : {"seconds", "chip_cost_images", "suggested_images", "suggested_chips"})
            point.erase(key);
}

TEST(Results, of_equal_runs_differ_in_times_alone) {
    RunResult run = run_of(100, 90, {{88, 87, 89}, {70, 80, 60}}), slower = run;
    for (PointResult& point : slower.points)
        for (ChipResult& chip : point.chips)
            chip.seconds = chip.programming_seconds = chip.reading_seconds = 7;
    json a = json::parse(results_json(run)), b = json::parse(results_json(slower));
    EXPECT_NE(a, b);
    remove_times(a);
    remove_times(b);
    EXPECT_EQ(a, b);
}

TEST(Results, throughput_is_of_wall_time) {
    RunResult run = run_of(100, 90, {{88, 87}, {70, 80}});
    for (PointResult& point : run.points)
        for (ChipResult& chip : point.chips) {
            chip.seconds = 0.5;
            chip.reading_seconds = 4;  // of eight threads
        }
    const json j = json::parse(results_json(run));
    EXPECT_DOUBLE_EQ(j["images_per_second"].get<double>(), 4 * 100 / 2.0);
    EXPECT_DOUBLE_EQ(j["points"][0]["seconds"].get<double>(), 1.0);
}

TEST(Results, bytes_that_are_no_text_do_not_stop_them) {
    RunResult run = run_of(100, 90, {{88}});
    run.info.network_file = "q\xff.onnx";
    EXPECT_EQ(json::parse(results_json(run))["network"]["file"], "q\uFFFD.onnx");
}

TEST(Findings, points_are_compared_on_the_chips_that_they_share) {
    RunResult run = run_of(100, 90, {{88, 80, 84}, {86, 78, 82, 10}});
    const json j = json::parse(results_json(run));
    EXPECT_TRUE(j["points"][0]["difference"].is_null());
    const json& d = j["points"][1]["difference"];
    EXPECT_EQ(d["chips"], 3);
    EXPECT_NEAR(d["mean"].get<double>(), -0.02, 1e-15);
    EXPECT_LT(d["ci_high"].get<double>(), 0);  // every chip loses the same
    EXPECT_THAT(findings_text(run), HasSubstr("chip by chip: 1 of 1 other points differ at 95 %"));
    EXPECT_THAT(differences_table(run), HasSubstr("-2.00"));
}

TEST(Findings, images_a_chip_follow_from_what_a_chip_cost) {
    RunResult run = run_of(1000, 900, {{900, 800, 700, 850}});
    for (ChipResult& chip : run.points[0].chips) {
        chip.programming_seconds = 3;
        chip.reading_seconds = 10;  // ten milliseconds an image: programming costs 300
    }
    const Spread s = *spread(run.points[0]);
    EXPECT_DOUBLE_EQ(s.chip_cost, 300);
    const double time = 4 * (1000 + 300);
    EXPECT_DOUBLE_EQ(*s.suggested_images, *s.variance.suggested_images(time, 300));
    EXPECT_DOUBLE_EQ(*s.suggested_chips, time / (*s.suggested_images + 300));
    EXPECT_DOUBLE_EQ(json::parse(results_json(run))["points"][0]["suggested_images"].get<double>(),
                     *s.suggested_images);
    EXPECT_THAT(findings_text(run),
                HasSubstr(fmt::format(
                    "images a chip: 1000 here; on new images {:.0f} on {:.0f} chips would tell most",
                    *s.suggested_images, *s.suggested_chips)));
    EXPECT_THAT(
        spread_table(run),
        HasSubstr(fmt::format("{:.2f}{:>14.2f}{:>22.1f}{:>15.0f}{:>7.0f}\n",
                              100 * std::sqrt(s.variance.chips), 100 * std::sqrt(s.variance.images / 1000),
                              s.chip_cost, *s.suggested_images, *s.suggested_chips)));
    EXPECT_FALSE(spread(run_of(1000, 900, {{900}}).points[0]));
    EXPECT_FALSE(spread(run_of(1000, 900, {{900, 900}}).points[0])->suggested_images);
}

TEST(Findings, name_a_digital_network_that_guesses) {
    const auto said = [](int64_t digital, int64_t classes) {
        RunResult run = run_of(1000, digital, {{100, 101}});
        run.info.classes = classes;
        return findings_text(run);
    };
    EXPECT_THAT(said(110, 10), HasSubstr("digital top-1 is chance (10 classes)"));
    EXPECT_THAT(said(40, 10), HasSubstr("chance")) << "worse than guessing";
    EXPECT_THAT(said(130, 10), Not(HasSubstr("chance")));  // 11.0 to 15.2 %
    RunResult few = run_of(1, 1, {{1, 1}});
    few.info.classes = 10;
    EXPECT_THAT(findings_text(few), Not(HasSubstr("chance"))) << "one image leaves it open";
    EXPECT_THAT(said(110, 0), Not(HasSubstr("chance"))) << "a run that does not say how many there are";
}

TEST(Findings, name_a_point_whose_cells_are_cut) {
    RunResult run = run_of(1000, 900, {{900, 899}, {100, 101}});
    for (PointResult& point : run.points)
        for (ChipResult& chip : point.chips) chip.cells = 1000, chip.clipped_cells = 450;
    EXPECT_THAT(findings_text(run), Not(HasSubstr("were cut to"))) << "idle cells alone";
    run.points[1].chips[0].clipped_cells = 800;
    EXPECT_THAT(findings_text(run), HasSubstr("62.50 % of the cells were cut to 0 or to what they can hold "
                                              "at device.sigma = 1: the programming error"));
}

TEST(Findings, layers_alone_are_compared_with_the_digital_network) {
    RunResult run = run_of(1000, 900, {{500, 520}, {880, 882}, {700, 720}, {899, 899}});
    const char* layers[] = {"\"all\"", "\"a\"", "\"b\"", "\"c\""};
    for (size_t p = 0; p < 4; ++p) run.points[p].label.set = {{"layer", layers[p]}};
    const std::vector<LayerLoss> losses = layer_losses(run);
    ASSERT_EQ(losses.size(), 3u);
    EXPECT_EQ(losses[0].point, &run.points[2]);
    EXPECT_DOUBLE_EQ(losses[0].lost.mean, .19);
    EXPECT_EQ(losses[1].point, &run.points[1]);
    EXPECT_EQ(losses[2].point, &run.points[3]);
    const std::string text = findings_text(run);
    EXPECT_THAT(text, HasSubstr("noisy alone, layer = \"b\" loses most: 19.00 points of top-1 ("));
    EXPECT_THAT(text, Not(HasSubstr("chip by chip")));
    EXPECT_THAT(layers_table(run), HasSubstr(" \"b\"      2       19.00"));
    run.digital.reset();
    EXPECT_TRUE(layer_losses(run).empty());
}

TEST(Findings, say_how_much_of_the_cost_was_needed) {
    std::vector<int64_t> quiet(100, 800), loud;
    for (int64_t c = 0; c < 100; ++c) loud.push_back(c % 2 ? 710 : 890);
    RunResult run = run_of(1000, 900, {quiet, loud});
    run.info.chips = 100;
    // sd 0.0905: t(0.975, 99) sd / sqrt(100) = 0.0180; after 20 chips 0.043, after 30 0.034. The interval
    // reaches a twentieth farther down.
    EXPECT_EQ(chips_needed(run.points[0], 0.001, 0.95), 20);
    EXPECT_EQ(chips_needed(run.points[1], 0.05, 0.95), 20);
    EXPECT_EQ(chips_needed(run.points[1], 0.02, 0.95), 100) << "after the last chip";
    EXPECT_FALSE(chips_needed(run.points[1], 0.01, 0.95));
    EXPECT_THAT(findings_text(run), HasSubstr("+- 2.00 % at every point took 120 of these 200 chips: "
                                              "monte_carlo.until = 0.02"));
    run.info.until = 0.05;
    EXPECT_THAT(findings_text(run), HasSubstr("+- 5.00 % took 40 of 200 chips\n"));
    run.info.until = 0.01;
    EXPECT_THAT(findings_text(run), HasSubstr("took 120 of 200 chips; 1 of 2 points did not reach it"));
    run.info.chips = 101;
    EXPECT_FALSE(cost_needed(run)) << "a point is not finished";
    RunResult equal = run_of(1000, 900, {quiet});
    EXPECT_EQ(cost_needed(equal)->chips, 20);
    equal.info.chips = 101;
    EXPECT_FALSE(cost_needed(equal)) << "nothing stops a point where until is not set";
}

/// A run over keys with these values at each point.
RunResult run_over(const std::vector<std::vector<std::pair<std::string, std::string>>>& points) {
    RunResult run = run_of(100, 90, std::vector<std::vector<int64_t>>(points.size(), {80, 82, 84}));
    for (size_t p = 0; p < points.size(); ++p) run.points[p].label.set = points[p];
    return run;
}

int64_t occurrences(const std::string& text, const std::string& part) {
    int64_t count = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

/// The page's section with this heading.
std::string section_of(const std::string& page, const std::string& heading) {
    const size_t at = page.find("<h2>" + heading + "</h2>");
    return at == std::string::npos ? "" : page.substr(at, page.find("<h2>", at + 4) - at);
}

class Report : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!gnuplot_svg("plot x\n")) GTEST_SKIP() << "gnuplot is not installed";
    }
};

TEST_F(Report, draws_words_and_mixed_values_as_categories) {
    const std::string page = report_html(run_over({{{"crossbar.clip", "\"max\""}, {"device.sigma", "0.1"}},
                                                   {{"crossbar.clip", "99.9"}, {"device.sigma", "0.1"}},
                                                   {{"crossbar.clip", "99.0"}, {"device.sigma", "0.1"}}}));
    const std::string plot = section_of(page, "Accuracy against crossbar.clip");
    for (const char* tic : {"\"max\"", "99.9", "99.0"}) EXPECT_GE(occurrences(plot, tic), 1) << tic;
    EXPECT_EQ(section_of(page, "Accuracy against device.sigma"), "") << "it does not vary";
}

TEST_F(Report, draws_keys_side_by_side_as_one_line) {
    const auto at = [](const char* sigma, const char* mu) {
        return std::vector<std::pair<std::string, std::string>>{{"parameter.sigma", sigma},
                                                                {"parameter.mu", mu}};
    };
    const std::string zip =
        section_of(report_html(run_over({at("0.0", "0.1"), at("0.1", "0.2"), at("0.2", "0.3")})),
                   "Accuracy against parameter.sigma");
    EXPECT_EQ(occurrences(zip, "parameter.mu ="), 0) << "one series";
    EXPECT_GE(occurrences(zip, "all chips"), 1);
    const std::string product = section_of(
        report_html(run_over({at("0.0", "0.1"), at("0.0", "0.2"), at("0.1", "0.1"), at("0.1", "0.2")})),
        "Accuracy against parameter.sigma");
    EXPECT_GE(occurrences(product, "parameter.mu = 0.1"), 1);
    EXPECT_GE(occurrences(product, "parameter.mu = 0.2"), 1);
}

TEST_F(Report, has_tables_of_differences_and_of_spread) {
    const std::string page =
        report_html(run_over({{{"parameter.scale", "\"single\""}}, {{"parameter.scale", "\"own\""}}}));
    EXPECT_THAT(section_of(page, "Against the first point"), HasSubstr("own"));
    EXPECT_THAT(section_of(page, "Where the spread comes from"), HasSubstr("sd of images"));
}

}  // namespace
}  // namespace mho
