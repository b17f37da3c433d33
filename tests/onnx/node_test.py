"""`mho infer` on the ONNX project's own backend node tests: every test of an operator that mho supports passes, or
stands below with the reason why it cannot."""
import collections
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")  # the tests' own NumPy divides by zero on purpose

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

MHO = os.environ["MHO_BINARY"]

# Operators whose every input is an activation; of the others the first is one, and the rest are weights or settings,
# which mho takes as constants.
ALL_INPUTS = {"Add", "Sub", "Mul", "Div", "Concat"}

# Why a test of a supported operator is not one of mho's: name (a regular expression) -> reason.
NOT_OURS = {
    r"test_matmul_(3d|4d|bcast|1d_3d)": "a constant for every leading index is no weight matrix",
    r"test_split_zero_size_splits.*|test_reduce_(l2|sum)_empty_set.*|test_reshape_allowzero_reordered": "an empty value",
    r"test_flexattention_.*|test_attention_.*": "products of two activations, and of batches",
    r"test_training_dropout.*|test_batchnorm_.*_training_mode": "training",
    r"test_pow.*": "an exponent that is no single constant number, or not one of .5, 1, 2, 3",
    r"test_constant": "no input: there is nothing to run",
    r"test_layer_normalization_.*_axis(0|_negative_\d)(_epsilon)?_expanded.*": "statistics over the batch",
}
OLDEST_OPSET = 9


def supported():
    text = subprocess.run([MHO, "info"], capture_output=True, text=True, check=True).stdout
    return set(re.search(r"^operators (.*)", text, re.M).group(1).split(", "))


def on_disk(case):
    sets = []
    for folder in sorted(pathlib.Path(case.model_dir).glob("test_data_set_*")):
        sets.append([[numpy_helper.to_array(onnx.load_tensor(str(p))) for p in
                      sorted(folder.glob(f"{side}_*.pb"), key=lambda p: int(p.stem.split("_")[1]))]
                     for side in ("input", "output")])
    return sets


def with_constants(model, arrays):
    """Inputs that an operator takes as constants become initialisers. Returns the names that stay inputs."""
    held = {i.name for i in model.graph.initializer}  # old files list these among the inputs too
    names = [i.name for i in model.graph.input if i.name not in held]
    node = model.graph.node[0]
    keep = names if node.op_type in ALL_INPUTS else names[:1]
    for value in list(model.graph.input):
        if value.name in keep or value.name in held:
            continue
        model.graph.initializer.append(numpy_helper.from_array(arrays[value.name], value.name))
        model.graph.input.remove(value)
    return keep


def run(case):
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    held = {i.name for i in model.graph.initializer}
    names = [i.name for i in model.graph.input if i.name not in held]
    for inputs, wanted in case.data_sets:
        if not all(isinstance(v, np.ndarray) or np.isscalar(v) for v in list(inputs) + list(wanted)):
            return "skip", "an input or output that is no tensor"
        arrays = dict(zip(names, map(np.asarray, inputs)))
        keep = with_constants(model, arrays)
        if any(arrays[k].dtype != np.float32 for k in keep) or any(w.dtype != np.float32 for w in wanted):
            return "skip", "its values are not float32"
        with tempfile.TemporaryDirectory() as folder:
            problem = compare(model, [arrays[k] for k in keep], wanted, case, pathlib.Path(folder))
        if problem:
            return "fail", problem
    return "pass", ""


def compare(model, inputs, wanted, case, folder):
    onnx.save(model, str(folder / "m.onnx"))
    command = [MHO, "infer", str(folder / "m.onnx")]
    for i, array in enumerate(inputs):
        np.save(folder / f"i{i}.npy", array)
        command += ["--input", str(folder / f"i{i}.npy")]
    for i in range(len(wanted)):
        command += ["--out", str(folder / f"o{i}.npy")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        return f"exit {done.returncode}: {done.stderr.strip()[-600:]}"
    for i, want in enumerate(wanted):
        got = np.load(folder / f"o{i}.npy")
        if got.shape != want.shape:
            return f"output {i}: shape {got.shape}, wanted {want.shape}"
        if not np.allclose(got, want, rtol=case.rtol, atol=case.atol, equal_nan=True):
            return f"output {i}: differs by up to {np.abs(got - want).max()}"
    return None


def reason_not_ours(name):
    for pattern, reason in NOT_OURS.items():
        if reason and re.fullmatch(pattern, name):
            return reason
    return None


def main():
    known = supported()
    cases = []
    for kind in ("node", "simple", "pytorch-operator", "pytorch-converted"):
        for case in load_model_tests(kind=kind):
            if case.model is None and case.model_dir:
                case = dataclasses.replace(case, model=onnx.load(f"{case.model_dir}/model.onnx"), data_sets=on_disk(case))
            operators = {(n.domain, n.op_type) for n in case.model.graph.node}
            if case.model.opset_import[0].version < OLDEST_OPSET:
                continue
            if all(domain in ("", "ai.onnx") and op in known for domain, op in operators):
                cases.append(case)
    counts, skipped, failed = collections.Counter(), collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for case, (result, why) in zip(cases, pool.map(run, cases)):
            if result == "fail" and reason_not_ours(case.name):
                result, why = "skip", reason_not_ours(case.name)
            counts[result] += 1
            if result == "skip":
                skipped[why] += 1
            if result == "fail":
                failed.append(f"{case.name}: {why}")
    print(f"{len(cases)} backend tests of supported operators: {dict(counts)}")
    print("\n".join([f"not mho's: {count} tests, {why}" for why, count in skipped.items()] + failed))
    return 1 if failed or counts["pass"] < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
