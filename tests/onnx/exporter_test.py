"""What PyTorch's two exporters write at their defaults, `mho infer` reads: torchvision's classifiers with random weights
agree with PyTorch on batches of 1 and 7. Needs tests/onnx/exporter_requirements.txt: `scripts/test --exporters`
installs it and runs this. Arguments: names of networks, for some alone."""
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torchvision

MHO = os.environ["MHO_BINARY"]
NETWORKS = {  # name -> image size
    "resnet18": 64, "mobilenet_v2": 64, "densenet121": 64, "googlenet": 64, "efficientnet_b0": 64,
    "convnext_tiny": 64, "regnet_y_400mf": 64, "vgg11_bn": 224,
}


def network(name):
    torch.manual_seed(1)
    options = {"init_weights": True, "aux_logits": False} if name == "googlenet" else {}
    model = getattr(torchvision.models, name)(weights=None, **options)
    # Statistics away from 0 and 1, so that a batch norm lost or folded twice shows.
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model.eval()


EXPORTS = {  # how -> options of torch.onnx.export
    "dynamo": {"dynamo": True},
    "script": {"dynamo": False},
    "dynamo, not optimised": {"dynamo": True, "optimize": False},
    "script, training kept": {"dynamo": False, "training": torch.onnx.TrainingMode.PRESERVE,
                              "do_constant_folding": False},
}


def check(name, how, folder):
    size = NETWORKS[name]
    model = network(name)
    file = folder / "model.onnx"
    with torch.no_grad():
        torch.onnx.export(model, (torch.randn(1, 3, size, size),), str(file), verbose=False, **EXPORTS[how])
    worst = 0
    for batch in (1, 7):
        images = torch.randn(batch, 3, size, size)
        with torch.no_grad():
            want = model(images).numpy()
        np.save(folder / "x.npy", images.numpy())
        done = subprocess.run([MHO, "infer", str(file), "--input", str(folder / "x.npy"), "--out",
                               str(folder / "y.npy")], capture_output=True, text=True)
        if done.returncode != 0:
            return f"batch {batch}: exit {done.returncode}: {done.stderr.strip()[-500:]}"
        got = np.load(folder / "y.npy")
        if got.shape != want.shape:
            return f"batch {batch}: shape {got.shape}, wanted {want.shape}"
        # Both sum products of up to 25,088 terms in float32, in other orders, through some hundred layers.
        worst = max(worst, float(np.abs(got - want).max() / np.abs(want).max()))
    print(f"{name}, {how}: largest difference {worst:.1e} of the largest logit", flush=True)
    return None if worst < 1e-4 else f"differs by {worst:.1e} of the largest logit"


def main():
    names = sys.argv[1:] or list(NETWORKS)
    failed = []
    for name in names:
        for how in EXPORTS:
            with tempfile.TemporaryDirectory() as folder:
                problem = check(name, how, pathlib.Path(folder))
            if problem:
                failed.append(f"FAILED {name}, {how}: {problem}")
                print(failed[-1], flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
