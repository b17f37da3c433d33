// Configs: every key is read, checked, written and documented; every mistake is named with its place.
#include "host/config/keys.h"
#include "host/config/layers.h"
#include "host/config/points.h"
#include "host/config/read.h"
#include "host/config/write.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "host/config/keys.h"
#include "kernels/base/error.h"

namespace mho {
namespace {

using ::testing::HasSubstr;

constexpr char kModel[] = "[model]\nfile = \"net.onnx\"\n";

std::string refusal(const std::string& text, const std::vector<std::string>& set = {}) {
    try {
        parse_config(text, "run.toml", set);
    } catch (const InputError& error) {
        return error.what();
    }
    ADD_FAILURE() << "was accepted: " << text;
    return "";
}

/// A config in which `key` means something.
std::string setting_for(const Key& key, const std::string& value) {
    std::string text = kModel;
    const bool crossbar = key.table() == "crossbar" || key.table() == "device" || key.table() == "adc" ||
                          key.name == "data.calibration_images";
    if (crossbar) text += "[chip]\nlevel = \"crossbar\"\n";
    if (key.name == "crossbar.bias_rows") text += "[crossbar]\nbias = \"analog\"\n";
    if (key.name == "adc.low" || key.name == "adc.high") text += "[adc]\nrange = \"fixed\"\n";
    if (key.name == "adc.percentile" || key.name == "adc.calibrate")
        text += "[adc]\nrange = \"calibrated\"\n";
    if (text.find("[" + key.table() + "]") == std::string::npos) text += "[" + key.table() + "]\n";
    const size_t table = text.find("[" + key.table() + "]\n") + key.table().size() + 3;
    return text.substr(0, table) + key.leaf() + " = " + value + "\n" + text.substr(table);
}

TEST(Config, defaults_stand_and_say_the_same_when_written_out) {
    for (const char* level : {"parameter", "crossbar"}) {
        const Config c =
            parse_config(std::string(kModel) + "[chip]\nlevel = \"" + level + "\"\n", "run.toml");
        const std::string text = to_toml(c);
        EXPECT_EQ(to_toml(parse_config(text, "again.toml")), text);
    }
}

TEST(Config, every_key_refuses_another_type_at_its_place) {
    Config scratch;
    for (const Key& key : config_keys()) {
        if (key.name == "model.file") continue;
        const Field field = key.field(scratch);
        const bool takes_text = std::holds_alternative<std::string*>(field);
        for (const std::string value :
             {"{ a = 1 }", takes_text ? "3" : "\"neither a number nor a choice\""}) {
            const std::string message = refusal(setting_for(key, value));
            EXPECT_THAT(message, HasSubstr("run.toml:")) << key.name;
            EXPECT_THAT(message, ::testing::AnyOf(HasSubstr(key.name + " takes"),
                                                  HasSubstr("takes a string, a number")))
                << key.name;
        }
    }
}

/// Written out and read again, a config is the same and stays so, whatever is in it.
void expect_stands(const std::string& text) {
    const std::string written = to_toml(parse_config(text, "run.toml"));
    EXPECT_EQ(to_toml(parse_config(written, "again.toml")), written) << text;
}

TEST(Config, what_is_written_out_can_be_read_whatever_is_swept_or_set_for_layers) {
    const std::string crossbar = std::string(kModel) + "[chip]\nlevel = \"crossbar\"\n";
    expect_stands(crossbar + "[sweep]\n\"adc.range\" = [\"max\", \"calibrated\"]\n");
    expect_stands(crossbar + "[adc]\npercentile = 99\n[sweep]\n\"adc.range\" = [\"max\", \"calibrated\"]\n");
    expect_stands(crossbar +
                  "[adc]\nrange = \"calibrated\"\npercentile = 99.9\n[[layer]]\nmatch = \"*\"\n"
                  "adc.range = \"max\"\n");
    expect_stands(crossbar +
                  "[adc]\nrange = \"fixed\"\nlow = 0\nhigh = 9\n[[layer]]\nmatch = \"a\"\n"
                  "adc.range = \"calibrated\"\nadc.percentile = 99\n");
    expect_stands(std::string(kModel) + "[sweep]\n\"chip.level\" = [\"parameter\", \"crossbar\"]\n");
    expect_stands(crossbar + "[sweep]\n\"crossbar.bias\" = [\"digital\", \"analog\"]\n");
    for (const Key& key : config_keys())
        if (key.sweepable)
            for (const char* level : {"parameter", "crossbar"}) {
                Config scratch;
                const std::string text = std::string(kModel) + "[chip]\nlevel = \"" + level +
                                         "\"\n[sweep]\n\"" + key.name + "\" = [" +
                                         to_string(value_of(key, scratch)) + "]\n";
                try {
                    parse_config(text, "run.toml");
                } catch (const InputError&) {
                    continue;  // this level, or the defaults, leave the key idle
                }
                expect_stands(text);
            }
}

TEST(Config, zero_switches_an_effect_off_and_leaves_its_description_standing) {
    const std::string text =
        std::string(kModel) +
        "[chip]\nlevel = \"crossbar\"\n[device]\nerror = \"uniform\"\nrelative_to = \"target\"\n"
        "sigma = 0.1\n[adc]\nrange = \"calibrated\"\nnoise = 0.5\ncolumns_per_adc = 4\n";
    for (const char* off : {"device.sigma=0", "adc.bits=0"})
        EXPECT_EQ(sweep_points(parse_config(text, "x", {off})).size(), 1u) << off;
}

TEST(Config, every_number_refuses_what_is_out_of_its_range) {
    Config scratch;
    for (const Key& key : config_keys()) {
        const Field field = key.field(scratch);
        const bool whole = std::holds_alternative<int64_t*>(field),
                   real = std::holds_alternative<double*>(field);
        if (!whole && !real) continue;
        for (const double beyond : {key.low - 1, key.high + std::max(1.0, key.high * 1e-3)}) {
            const ConfigValue value = whole ? ConfigValue{static_cast<int64_t>(beyond)} : ConfigValue{beyond};
            if (whole && std::abs(beyond) > 9e18) continue;  // the range is all that TOML can say
            const std::string message = refusal(setting_for(key, to_string(value)));
            EXPECT_THAT(message, HasSubstr(key.name));
            EXPECT_THAT(message, HasSubstr("takes")) << key.name;
        }
        for (const char* word : {"\"many\"", "true", "[1, 2]"})
            EXPECT_THAT(refusal(setting_for(key, word)), HasSubstr(key.name));
        if (real) {
            EXPECT_THAT(refusal(setting_for(key, "nan")), HasSubstr(key.name));
        }
    }
}

TEST(Config, every_choice_names_what_it_allows) {
    Config scratch;
    for (const Key& key : config_keys()) {
        const Field field = key.field(scratch);
        const auto* choice = std::get_if<ChoiceField>(&field);
        if (!choice) continue;
        const std::string message = refusal(setting_for(key, "\"something\""));
        for (const std::string& name : choice->names)
            EXPECT_THAT(message, HasSubstr("\"" + name + "\"")) << key.name;
    }
}

/// What a config says that changes nothing is no mistake: it may be tried at both levels, or without an
/// effect.
TEST(Config, keys_that_change_nothing_get_a_line) {
    const std::string model = kModel;
    const std::string slices = model + "[chip]\nlevel = \"crossbar\"\n[crossbar]\ncell_bits = 3\n";
    const std::pair<std::string, const char*> cases[] = {
        {model + "[sweep]\n\"device.sigma\" = [0.1]\n", "does nothing"},
        {model + "[chip]\nlevel = \"crossbar\"\n[adc]\nlow = 1\n", "unless adc.range"},
        {model + "[chip]\nlevel = \"crossbar\"\n[adc]\npercentile = 99\n", "run.toml:6:14: adc.percentile"},
        {model + "[chip]\nlevel = \"crossbar\"\n[adc]\npercentile = 99\n",
         "unless adc.range = \"calibrated\""},
        {model + "[chip]\nlevel = \"crossbar\"\n[sweep]\n\"adc.low\" = [0, 3]\n",
         "run.toml:6:13: adc.low does nothing"},
        {model + "[chip]\nlevel = \"crossbar\"\n[[layer]]\nmatch = \"*\"\nadc.low = 1\n",
         "run.toml:5:1: adc.low"},
        {model + "[chip]\nlevel = \"crossbar\"\n[crossbar]\nbias_rows = 2\n",
         "unless crossbar.bias = \"analog\""},
        {model + "[chip]\nlevel = \"crossbar\"\n[device]\nerror = \"none\"\nsigma = 0.1\n",
         "device.error is \"normal\" or \"uniform\""},
        {model + "[chip]\nlevel = \"crossbar\"\n[device]\nerror = \"lognormal\"\nsigma = 0.1\nrelative_to = "
                 "\"target\"\n",
         "device.error is \"normal\" or \"uniform\""},
        {model + "[chip]\nlevel = \"crossbar\"\n[sweep]\n\"device.g_max\" = [10, 20]\n", "only their ratio"},
        {model + "[chip]\nlevel = \"crossbar\"\n[adc]\nbits = 0\n[sweep]\n\"adc.noise\" = [0, 1]\n",
         "unless adc.bits"},
        {model + "[data]\ncalibration_images = 10\n", "something is calibrated"},
        {slices + "[device]\nlevels = 8\n", "run.toml:8:10: device.levels does nothing unless"},
        {slices + "cell_bits = 8\nslice_bits = \"even\"\n", "several slices"},
        {model + "[parameter]\nsigma = 0\n", "monte_carlo.chips = 1 is enough"},
        {slices + "[device]\nerror = \"normal\"\n", "monte_carlo.chips = 1 is enough"},
    };
    for (auto [text, expected] : cases) {
        if (text.find("cell_bits = 3\ncell_bits") != std::string::npos)
            text.replace(text.find("cell_bits = 3\n"), 14, "");
        EXPECT_THAT(parse_config(text, "run.toml").notices, ::testing::Contains(HasSubstr(expected))) << text;
    }
    EXPECT_THAT(parse_config(slices + "[device]\nlevels = 7\nsigma = 0.1\n", "run.toml").notices,
                ::testing::IsEmpty());
    const Config one = parse_config(model + "[parameter]\nsigma = 0\n[monte_carlo]\nchips = 1\n", "run.toml");
    EXPECT_THAT(one.notices, ::testing::IsEmpty());
}

TEST(Config, points_that_would_be_alike_are_not_swept) {
    const std::string text =
        std::string(kModel) +
        "[sweep]\nzip = true\n\"device.sigma\" = [0.1, 0.2]\n\"parameter.sigma\" = [0.3, 0.4]\n";
    const Config config = parse_config(text, "run.toml");
    ASSERT_EQ(config.sweep.size(), 1u);
    EXPECT_EQ(config.sweep[0].key, "parameter.sigma");
    EXPECT_THAT(config.notices,
                ::testing::ElementsAre(HasSubstr(
                    "device.sigma does nothing unless chip.level = \"crossbar\": it is not swept")));
    EXPECT_EQ(parse_config(text, "run.toml", {"chip.level=crossbar"}).sweep.size(), 1u)
        << "at the other level the other one";
}

/// Where a dropped key alone told points apart, one of them is left: the resolved config can be read again.
TEST(Config, points_that_a_dropped_key_told_apart_are_one) {
    const Config c = parse_config(
        std::string(kModel) +
            "[chip]\nlevel = \"crossbar\"\n[sweep]\nzip = true\n\"device.sigma\" = [0.1, 0.1, 0.2]\n"
            "\"parameter.sigma\" = [0, 0.1, 0.2]\n\"crossbar.rows\" = [64, 64, 64]\n",
        "run.toml");
    ASSERT_EQ(c.sweep.size(), 2u);
    for (const SweepAxis& axis : c.sweep) EXPECT_EQ(axis.values.size(), 2u) << axis.key;
    EXPECT_EQ(sweep_points(parse_config(to_toml(c), "again")).size(), 2u);
}

TEST(Config, shell_words_are_read_as_meant) {
    const std::string sweep =
        std::string(kModel) +
        "[sweep]\n\"parameter.sigma\" = [0.3, 0.4]\n\"parameter.scale\" = [\"own\", \"single\"]\n";
    const auto with = [&](const std::string& set) { return parse_config(sweep, "run.toml", {set}); };
    EXPECT_EQ(with("parameter.sigma = 0.02").parameter.sigma, 0.02);
    EXPECT_EQ(with("parameter.sigma=.02").parameter.sigma, 0.02);
    EXPECT_EQ(with("parameter.mu=-.5").parameter.mu, -0.5);
    EXPECT_EQ(with("parameter.scale = bi-scale").parameter.scale, ParameterScale::bi_scale);
    EXPECT_EQ(with("parameter.sigma=.02").sweep.size(), 1u) << "no more swept";
    const Config listed = with("parameter.sigma=[0.1, 0.2, 0.3]");
    ASSERT_EQ(listed.sweep.size(), 2u);
    EXPECT_EQ(listed.sweep[0].values, (std::vector<ConfigValue>{0.1, 0.2, 0.3}))
        << "another list in its place";
    EXPECT_EQ(with("parameter.scale=[\"own\", \"bi-scale\"]").sweep[1].values,
              (std::vector<ConfigValue>{std::string("own"), std::string("bi-scale")}));
    EXPECT_THAT(refusal(sweep, {"parameter.sigma=[-1]"}),
                HasSubstr("--set parameter.sigma=[-1]: parameter.sigma takes"));
    EXPECT_THAT(refusal(sweep, {"parameter.sigma=[0.1, 0.1]"}), HasSubstr("twice"));
}

TEST(Config, sweeps_take_keys_with_and_without_quotes) {
    const Config quoted = parse_config(
        std::string(kModel) + "[sweep]\n\"parameter.sigma\" = [0.3, 0.4]\n\"parameter.mu\" = [0.1]\n",
        "run.toml");
    const Config bare = parse_config(
        std::string(kModel) + "[sweep]\nparameter.sigma = [0.3, 0.4]\nparameter.mu = [0.1]\n", "run.toml");
    EXPECT_EQ(bare.sweep, quoted.sweep);
    const Config deep = parse_config(
        std::string(kModel) +
            "[chip]\nlevel = \"crossbar\"\n[adc]\ntype = \"sar\"\n[sweep]\nadc.sar.mismatch = [0.3, 0.4]\n",
        "run.toml");
    ASSERT_EQ(deep.sweep.size(), 1u);
    EXPECT_EQ(deep.sweep[0].key, "adc.sar.mismatch");
}

TEST(Config, columns_share_a_converter_that_differs_by_its_type_alone) {
    const std::string array =
        "[model]\nfile = \"digits_cnn\"\n[chip]\nlevel = \"crossbar\"\n[sweep]\n\"adc.columns_per_adc\" = "
        "[1, 4]\n";
    EXPECT_NO_THROW(parse_config(array + "[adc]\ntype = \"sar\"\n[adc.sar]\nmismatch = 0.1\n", "run.toml"));
    EXPECT_EQ(
        parse_config(array + "[adc]\ntype = \"sar\"\n[adc.sar]\nmismatch = 0.1\n", "run.toml").sweep.size(),
        1u);
    EXPECT_EQ(parse_config(array, "run.toml").sweep.size(), 0u);
}

TEST(Config, mistakes_are_named) {
    const std::string model = kModel;
    const std::pair<std::string, const char*> cases[] = {
        {"", "run.toml: is empty"},
        {"# nothing\n", "run.toml: is empty"},
        {"[chip]\n", "model.file is missing"},
        {"[model\n", "run.toml:1"},
        {model + "[divice]\nsigma = 1\n", "did you mean \"device\"?"},
        {model + "[parameter]\nsigmma = 1\n", "did you mean \"parameter.sigma\"?"},
        {model + "[parameter]\nsigma = -1\n", "run.toml:4"},
        {model + "parameter = 3\n", "unknown key model.parameter"},
        {"parameter = 3\n" + model, "must be a table"},
        {model + "[sweep]\n\"parameter.sigma\" = 1\n", "takes an array"},
        {model + "[sweep]\n\"parameter.sigma\" = []\n", "takes an array"},
        {model + "[sweep]\n\"parameter.sigma\" = [-1]\n", "parameter.sigma"},
        {model + "[sweep]\n\"model.file\" = [\"a\"]\n", "cannot be swept"},
        {model + "[sweep]\nzip = 1\n", "zip takes true or false"},
        {model + "[sweep]\nzip = true\n", "at least two"},
        {model + "[sweep]\n\"parameter.sigma\" = [0.1]\nparameter.sigma = [0.2]\n",
         "parameter.sigma is swept twice"},
        {model + "[sweep]\nzip = true\n\"parameter.sigma\" = [1, 2]\n\"parameter.mu\" = [1]\n", "one length"},
        {"layer = 3\n" + model, "[[layer]]"},
        {model + "[[layer]]\ndigital = true\n", "needs match"},
        {model + "[[layer]]\nmatch = \"a\"\n", "changes nothing"},
        {model + "[[layer]]\nname = \"a\"\n", "takes match = "},
        {model + "[[layer]]\nmatch = 3\n", "match takes a string"},
        {model + "[[layer]]\nmatch = \"a\"\ndigital = 3\n", "digital takes true or false"},
        {model + "[[layer]]\nmatch = \"a\"\ndigital = true\nparameter.sigma = 0.1\n", "takes no other key"},
        {model + "[[layer]]\nmatch = \"a\"\nmonte_carlo.chips = 3\n", "cannot differ"},
        {model + "[[layer]]\nmatch = \"a\"\nparameter.sigma = \"x\"\n", "parameter.sigma"},
        {model + "[chip]\nlevel = \"crossbar\"\nbatch_norm = \"analog\"\n", "batch_norm"},
        {model + "[chip]\nlevel = \"crossbar\"\nidentity = \"analog\"\n", "identity"},
        {model + "[chip]\nlevel = \"crossbar\"\nrelu_levels = 4\n", "relu_levels"},
        {model + "[chip]\nrelu_levels = 1\n", "relu_levels = 1"},
        {model + "[chip]\nlevel = \"crossbar\"\n[device]\ng_min = 200\n", "must be below"},
        {model + "[chip]\nlevel = \"crossbar\"\n[device]\nlevels = 1\n", "levels = 1"},
        {model + "[chip]\nlevel = \"crossbar\"\n[device]\nstuck_low = 0.6\nstuck_high = 0.6\n", "at most 1"},
        {model + "[chip]\nlevel = \"crossbar\"\n[crossbar]\nweight_bits = 1\n", "sign bit"},
        {model + "[chip]\nlevel = \"crossbar\"\n[crossbar]\ndac_bits = 8\ninput_bits = 4\n", "more than"},
        {model + "[chip]\nlevel = \"crossbar\"\n[crossbar]\nreference = \"column\"\n", "belongs to"},
        {model + "[chip]\nlevel = \"crossbar\"\n[crossbar]\nscheme = \"offset\"\nsubtract = \"analog\"\n",
         "two polarities"},
        {model + "[chip]\nlevel = \"crossbar\"\n[adc]\nrange = \"fixed\"\n", "needs adc.low"},
        {model + "[data]\nname = \"digit\"\n", "run.toml:4:8: data.name"},
        {model + "[data]\nsplit = \"tests\"\n", "run.toml:4:9: data.split"},
        {model + "[data]\nimages = 5\n[monte_carlo]\nimages_per_chip = 6\n",
         "run.toml:6:19: monte_carlo.images"},
        {model + "[monte_carlo]\nuntil = 0.1\n", "first looked at after 20 chips"},
        {model + "[parameter]\nsigma = 0.3\n[sweep]\n\"parameter.sigma\" = [0.1]\n",
         "run.toml:4:9: parameter.sigma is swept"},
        {model + "[sweep]\n\"parameter.sigma\" = [0.1, 0.2, 0.1]\n", "parameter.sigma has 0.1 twice"},
        {model + "[sweep]\nzip = true\n\"parameter.sigma\" = [0.1, 0.2]\n", "at least two"},
        {model + "[sweep]\n\"chip.relu_levels\" = [0, 1]\n", "run.toml:4:22: chip.relu_levels = 1"},
    };
    for (const auto& [text, expected] : cases) EXPECT_THAT(refusal(text), HasSubstr(expected)) << text;
    std::string many = model + "[sweep]\n";
    for (const char* key : {"parameter.sigma", "parameter.mu", "monte_carlo.seed"}) {
        many += std::string("\"") + key + "\" = [1";
        for (int i = 0; i < 100; ++i) many += ", 1";
        many += "]\n";
    }
    if (find_key("monte_carlo.seed")->sweepable) {
        EXPECT_THAT(refusal(many), HasSubstr("points"));
    }
}

TEST(Config, set_wins_over_the_file_and_ends_a_sweep_of_the_same_key) {
    const std::string text = std::string(kModel) + "[sweep]\n\"parameter.sigma\" = [0.2, 0.3]\n";
    EXPECT_EQ(sweep_points(parse_config(text, "x")).size(), 2u);
    const Config c =
        parse_config(text, "x", {"parameter.sigma=0.5", "parameter.scale=bi-scale", "data.mean=[0.5]"});
    EXPECT_EQ(c.parameter.sigma, 0.5);
    EXPECT_TRUE(c.sweep.empty());
    EXPECT_EQ(c.data.mean, std::vector<double>{0.5});
    EXPECT_THAT(refusal(text, {"parameter.sigma"}), HasSubstr("key=value"));
    EXPECT_THAT(refusal(text, {"parameter.sigmo=1"}), HasSubstr("parameter.sigma"));
}

TEST(Config, sweeps_go_last_key_fastest_or_side_by_side) {
    const std::string axes =
        "\"parameter.scale\" = [\"single\", \"own\"]\n\"parameter.sigma\" = [0.1, 0.2]\n";
    const std::vector<SweepPoint> product =
        sweep_points(parse_config(std::string(kModel) + "[sweep]\n" + axes, "x"));
    ASSERT_EQ(product.size(), 4u);
    EXPECT_EQ(product[1].config.parameter.sigma, 0.2);
    EXPECT_EQ(product[1].config.parameter.scale, ParameterScale::single);
    EXPECT_EQ(product[2].config.parameter.scale, ParameterScale::own);
    const Config zipped = parse_config(std::string(kModel) + "[sweep]\nzip = true\n" + axes, "x");
    ASSERT_EQ(sweep_points(zipped).size(), 2u);
    EXPECT_EQ(sweep_points(zipped)[1].config.parameter.scale, ParameterScale::own);
    EXPECT_EQ(to_toml(parse_config(to_toml(zipped), "again")), to_toml(zipped));
}

TEST(Config, layers_by_glob) {
    const Config c =
        parse_config(std::string(kModel) +
                         "[parameter]\nsigma = 0.1\n[[layer]]\nmatch = \"conv*\"\nparameter.sigma = 0.3\n"
                         "[[layer]]\nmatch = \"fc?\"\ndigital = true\n",
                     "x");
    EXPECT_EQ(layer_config(c, {"conv12"}).config.parameter.sigma, 0.3);
    EXPECT_EQ(layer_config(c, {"dense"}).config.parameter.sigma, 0.1);
    EXPECT_TRUE(layer_config(c, {"fc1"}).digital);
    EXPECT_FALSE(layer_config(c, {"fc"}).digital);
    EXPECT_FALSE(layer_config(c, {"fc12"}).digital);
    check_layers(c, {{c, {{"conv1"}, {"fc1"}}}});
    check_layers(c, {{c, {{"conv1"}}}, {c, {{"fc1"}}}});  // at one point or another
    EXPECT_THROW(check_layers(c, {{c, {{"conv1"}}}}), InputError);
    EXPECT_EQ(to_toml(parse_config(to_toml(c), "again")), to_toml(c));
}

TEST(Config, layers_that_change_nothing_are_refused) {
    const auto wrong = [](const std::string& text) -> std::string {
        const Config c = parse_config(std::string(kModel) + text, "run.toml");
        std::vector<SweepPoint> points = sweep_points(c);
        std::vector<PointLayers> layers;
        for (const SweepPoint& point : points) layers.push_back({point.config, {{"conv1"}, {"conv2"}}});
        try {
            check_layers(c, layers);
        } catch (const InputError& error) {
            return error.what();
        }
        return "";
    };
    const std::string sigma = "parameter.sigma = 0.9\n";
    EXPECT_THAT(wrong("[[layer]]\nmatch = \"conv1\"\ndigital = true\n[[layer]]\nmatch = \"conv1\"\n" + sigma),
                HasSubstr("run.toml:6:1: match = \"conv1\" changes nothing"));
    EXPECT_EQ(wrong("[[layer]]\nmatch = \"*\"\n" + sigma + "[[layer]]\nmatch = \"conv1\"\ndigital = true\n"),
              "");
    const std::string swept = "[sweep]\n\"parameter.sigma\" = [0.1, 0.2]\n";
    EXPECT_THAT(wrong("[[layer]]\nmatch = \"*\"\n" + sigma + swept), HasSubstr("for every layer"));
    EXPECT_EQ(wrong("[[layer]]\nmatch = \"conv1\"\n" + sigma + swept), "");
    EXPECT_THAT(
        wrong("[chip]\nlevel = \"crossbar\"\n[[layer]]\nmatch = \"conv2\"\ncrossbar.subtract = \"analog\"\n"
              "[sweep]\n\"crossbar.scheme\" = [\"differential\", \"offset\"]\n"),
        HasSubstr("run.toml:5:1: layer conv2: crossbar.subtract"));
}

TEST(Config, strings_survive_whatever_they_hold) {
    const std::string nasty = "a \"quoted\"\\ path\twith\nlines";
    const Config c = parse_config("[model]\nfile = " + to_string(ConfigValue{nasty}) + "\n", "x");
    EXPECT_EQ(c.model.file, nasty);
    EXPECT_EQ(to_string(ConfigValue{true}), "true");
    EXPECT_EQ(to_string(ConfigValue{3.0}), "3.0");
    EXPECT_EQ(to_string(ConfigValue{std::vector<double>{1, 0.5}}), "[1.0, 0.5]");
}

TEST(Config, the_table_in_the_readme_is_the_table_in_the_code) {
    std::ifstream file(MHO_SOURCE_DIR "/README.md");
    std::ostringstream text;
    text << file.rdbuf();
    const std::string begin = "<!-- config keys: generated, a test compares -->\n",
                      end = "<!-- end of config keys -->";
    const size_t from = text.str().find(begin), to = text.str().find(end);
    ASSERT_NE(from, std::string::npos);
    EXPECT_EQ(text.str().substr(from + begin.size(), to - from - begin.size()), config_table_markdown())
        << "mho info --config-table prints what the README should hold";
}

}  // namespace
}  // namespace mho
