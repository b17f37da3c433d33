"""`mho probe` opens a layer: NumPy computes its output again from the other arrays, with the formulas of docs/physics.md."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx

MHO = os.environ["MHO_BINARY"]
f32 = np.float32

CONFIG = """
[model]
file = "digits_cnn"
[data]
name = "digits"
images = 8
{calibration}
[chip]
level = "{level}"
"""


def probe(folder, level, layer, settings):
    config = folder / "config.toml"
    calibration = "calibration_images = 16" if level == "crossbar" else ""
    config.write_text(CONFIG.format(level=level, calibration=calibration))
    out = pathlib.Path(tempfile.mkdtemp(dir=folder))  # probe takes an empty directory
    command = [MHO, "probe", str(config), "--layer", layer, "--chip", "3", "--image", "5", "--out", str(out)]
    for key, value in settings.items():
        command += ["--set", f"{key}={json.dumps(value)}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    layout = json.loads((out / "layout.json").read_text())
    arrays = {}
    for name, about in layout["arrays"].items():
        arrays[name] = np.load(out / f"{name}.npy")
        assert arrays[name].ndim == len(about["axes"]), name
    return layout, arrays


def fma(a, b, c):
    """float32 fused multiply-add: the product of two float32 is exact in float64, and the sum nearly so."""
    return (np.asarray(a, f32).astype(np.longdouble) * np.asarray(b, f32) + np.asarray(c, f32)).astype(f32)


def parts_of(layout, codes):
    """[group][position][phase][step][row]: what each phase and step reads."""
    phases = [np.maximum(codes + layout["input_offset"], 0)]
    if layout["phases"] == 2:
        phases.append(np.maximum(-codes, 0))
    bits = layout["dac_bits"]
    return np.stack([np.stack([(p >> (t * bits)) & ((1 << bits) - 1) for t in range(layout["steps"])], 2)
                     for p in phases], 2)


def column_sums(layout, arrays):
    parts = parts_of(layout, arrays["input"].astype(np.int64))
    g = arrays["conductance"].astype(np.int64)
    tiles = []
    for begin, end in zip(layout["row_tile_begin"], layout["row_tile_begin"][1:]):
        # [group][position][phase][step][slice][polarity][column]
        tiles.append(np.einsum("gpfsr,glqrc->gpfslqc", parts[..., begin:end], g[:, :, :, begin:end]))
    sums = np.stack(tiles, 4)
    return sums[..., :1, :] - sums[..., 1:, :] if layout["subtract"] == "analog" else sums


def codes(layout, arrays):
    if layout["adc_bits"] == 0:
        return arrays["column_sum"]
    a, b = (arrays[k][:, None, None, None] for k in ("converter_a", "converter_b"))
    return np.clip(np.rint(fma(arrays["column_sum"].astype(f32), a, b)), 0, 2 ** layout["adc_bits"] - 1).astype(np.int64)


def column_tile(layout):
    begin = np.array(layout["column_tile_begin"])
    return np.searchsorted(begin, np.arange(layout["outputs"]), side="right") - 1


def joined(layout, code):
    """Codes joined as integers: [group][position][output]."""
    phase = np.array([1, -1])[: layout["phases"]]
    step = 2 ** (layout["dac_bits"] * np.arange(layout["steps"]))
    slices = np.array(layout["slice_weight"])
    polarity = np.array([1, -1])[: code.shape[6]]
    all_columns = np.einsum("gpfstlqc,f,s,l,q->gpc", code, phase, step, slices, polarity)
    outputs = all_columns[..., : layout["outputs"]]
    if layout["reference"] == "column":
        outputs = outputs - all_columns[..., layout["outputs"] + column_tile(layout)]
    return outputs


def output(layout, arrays):
    """Where all converters share one range, or are ideal: [position][group][output]."""
    x = arrays["input"].astype(np.int64)
    target_sum = np.array(layout["target_sum"]).reshape(layout["groups"], 1, -1)
    constant = layout["code_offset"] * x.sum(2)[:, :, None] + layout["input_offset"] * target_sum
    sums = joined(layout, arrays["code"])
    if layout["adc_bits"] == 0:
        z = (sums - constant).astype(f32)
    else:
        reads = sum(2 ** (layout["dac_bits"] * t) for t in range(layout["steps"])) * (layout["phases"] == 1)
        polarity = sum([1, -1][: arrays["code"].shape[6]]) if layout["reference"] != "column" else 0
        weight = reads * polarity * sum(layout["slice_weight"]) * arrays["code"].shape[4]
        low, step = f32(layout["range_low"][0]), f32(layout["range_step"][0])
        z = fma(step, sums.astype(f32), low * f32(weight)) - constant.astype(f32)
    scale = f32(layout["x_lsb"]) * np.array(layout["weight_lsb"], f32) / f32(layout["joined_step"])
    bias = np.array(layout["digital_bias"] or [0] * scale.size, f32)
    shape = (layout["groups"], 1, layout["outputs"])
    return fma(z, scale.reshape(shape), bias.reshape(shape)).transpose(1, 0, 2)


CROSSBARS = [
    {},
    {"adc.bits": 0},
    {"crossbar.cell_bits": 2, "device.sigma": 0.05, "adc.range": "calibrated", "crossbar.rows": 40, "crossbar.columns": 7},
    {"crossbar.cell_bits": 5, "adc.range": "calibrated"},
    {"crossbar.cell_bits": 3, "crossbar.scheme": "offset", "crossbar.slice_bits": "low-first", "crossbar.slice_range": "common"},
    {"crossbar.scheme": "offset", "device.sigma": 0.02, "device.stuck_high": 0.01, "crossbar.dac_bits": 3},
    {"crossbar.scheme": "offset", "crossbar.reference": "column", "crossbar.columns": 5, "adc.range": "calibrated"},
    {"crossbar.scheme": "balanced", "crossbar.subtract": "analog", "adc.gain_sigma": 0.02, "adc.offset_sigma": 0.5,
     "device.error": "lognormal", "device.sigma": 0.1},
]


def check_crossbar(folder, layer, settings):
    layout, arrays = probe(folder, "crossbar", layer, settings)
    np.testing.assert_array_equal(column_sums(layout, arrays), arrays["column_sum"])
    np.testing.assert_array_equal(codes(layout, arrays), arrays["code"])
    np.testing.assert_array_equal(joined(layout, arrays["code"]), arrays["joined"])
    np.testing.assert_array_equal(output(layout, arrays), arrays["output"])


def check_integer_product(folder):
    """Without errors and with ideal converters a layer is the plain product of its integer inputs and weights."""
    model = onnx.load(pathlib.Path(os.environ["MHO_SOURCE_DIR"]) / "models" / "zoo" / "digits_cnn.onnx")
    gemm = next(n for n in model.graph.node if n.op_type == "Gemm")
    weight = next(onnx.numpy_helper.to_array(t) for t in model.graph.initializer if t.name == gemm.input[1])
    for scheme in ("differential", "balanced", "offset"):
        settings = {"adc.bits": 0, "crossbar.scheme": scheme, "crossbar.cell_bits": 2, "crossbar.rows": 100}
        layout, a = probe(folder, "crossbar", "/7/Gemm", settings)
        x = a["input"].astype(np.int64)
        q = np.rint(weight.astype(np.float64) / np.abs(weight).max() * 127).astype(np.int64)
        constant = layout["code_offset"] * x.sum(2)[:, :, None]
        np.testing.assert_array_equal(a["joined"] - constant, layout["joined_step"] * (x @ q.T))


def check_read_noise(folder):
    layout, arrays = probe(folder, "crossbar", "/3/Conv", {"device.read_noise": 0.05, "crossbar.dac_bits": 1})
    exact = column_sums(layout, arrays)
    parts = parts_of(layout, arrays["input"].astype(np.int64))
    g = arrays["conductance"].astype(np.float64)
    variance = np.einsum("gpfsr,glqrc->gpfslqc", parts.astype(float) ** 2, (0.05 * g) ** 2)[:, :, :, :, None]
    z = ((arrays["column_sum"] - exact) / np.sqrt(np.maximum(variance, 1)))[variance > 1e4]
    # Of n draws the mean is within 5 / sqrt n, the variance within 5 sqrt(2 / n): 5 sigma each.
    assert abs(z.mean()) < 5 / np.sqrt(z.size) and abs(z.var() - 1) < 5 * np.sqrt(2 / z.size), (z.mean(), z.var(), z.size)


def check_convolution(folder):
    layout, a = probe(folder, "parameter", "/3/Conv", {"parameter.sigma": 0.1})
    x, w = a["input"][0, 0].astype(np.float64), a["weight"][:, :, 0].astype(np.float64)
    pad = layout["pad_begin"][1:]
    x = np.pad(x, ((pad[0], layout["pad_end"][1]), (pad[1], layout["pad_end"][2]), (0, 0)))
    stride = layout["stride"][1:]
    height, width = a["output"].shape[2:4]
    y = np.zeros((height, width, w.shape[0]))
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            rows, columns = stride[0] * np.arange(height) + i, stride[1] * np.arange(width) + j
            y += x[np.ix_(rows, columns)] @ w[:, :, i, j].T
    assert layout["activated"]
    y = np.maximum(y + a["bias"], 0)
    terms = w.shape[1] * w.shape[2] * w.shape[3] + 1
    bound = terms * 2.0**-24 * (np.abs(x).max() * np.abs(w).sum((1, 2, 3)).max() + np.abs(a["bias"]).max())
    assert np.abs(y - a["output"][0, 0]).max() <= bound


def check_linear(folder):
    layout, a = probe(folder, "parameter", "/7/Gemm", {"parameter.sigma": 0.1})
    y = a["input"].astype(np.float64) @ a["weight"].T.astype(np.float64) + a["bias"]
    bound = (a["weight"].shape[1] + 1) * 2.0**-24 * (np.abs(a["input"]).max() * np.abs(a["weight"]).sum(1).max() + 1)
    assert np.abs(y - a["output"]).max() <= bound


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for layer in ("/0/Conv", "/3/Conv", "/7/Gemm"):
            for settings in CROSSBARS:
                check_crossbar(folder, layer, settings)
                print(f"crossbar, {layer}, {settings}: equal")
        check_integer_product(folder)
        check_read_noise(folder)
        check_convolution(folder)
        check_linear(folder)
    print("read noise and the parameter level agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
