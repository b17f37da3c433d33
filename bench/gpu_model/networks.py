"""Convolutions and linear layers of the networks that the report is about."""

import dataclasses
import pathlib
import re


@dataclasses.dataclass(frozen=True)
class Layer:
    name: str
    rows: int  # K: inputs of one output
    columns: int  # N
    vectors: int  # positions on one image


def _conv(name, size, inputs, outputs, kernel):
    return Layer(name, inputs * kernel * kernel, outputs, size * size)


def resnet14_cifar():
    """Three stages of two blocks with 16, 32 and 64 channels."""
    layers, inputs = [_conv("stem", 32, 3, 16, 3)], 16
    for stage, width in enumerate((16, 32, 64)):
        size = 32 >> stage
        for block in range(2):
            layers.append(_conv(f"stage {stage + 1} block {block + 1} a", size, inputs, width, 3))
            layers.append(_conv(f"stage {stage + 1} block {block + 1} b", size, width, width, 3))
            if inputs != width:
                layers.append(_conv(f"stage {stage + 1} shortcut", size, inputs, width, 1))
            inputs = width
    return layers + [Layer("classes", 64, 10, 1)]


def wrn28_10_cifar():
    layers, inputs = [_conv("stem", 32, 3, 16, 3)], 16
    for stage, width in enumerate((160, 320, 640)):
        size = 32 >> stage
        for block in range(4):
            layers.append(_conv(f"stage {stage + 1} block {block + 1} a", size, inputs, width, 3))
            layers.append(_conv(f"stage {stage + 1} block {block + 1} b", size, width, width, 3))
            if inputs != width:
                layers.append(_conv(f"stage {stage + 1} shortcut", size, inputs, width, 1))
            inputs = width
    return layers + [Layer("classes", 640, 100, 1)]


def resnet50_imagenet():
    layers, inputs = [_conv("stem", 112, 3, 64, 7)], 64
    for stage, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        size = 56 >> stage
        for block in range(blocks):
            before = size if block > 0 or stage == 0 else 2 * size  # the first 1 x 1 runs before the stride
            name = f"stage {stage + 1} block {block + 1}"
            layers.append(_conv(f"{name} a", before, inputs, width, 1))
            layers.append(_conv(f"{name} b", size, width, width, 3))
            layers.append(_conv(f"{name} c", size, width, 4 * width, 1))
            if block == 0:
                layers.append(_conv(f"{name} shortcut", size, inputs, 4 * width, 1))
            inputs = 4 * width
    return layers + [Layer("classes", 2048, 1000, 1)]


NETWORKS = {
    "ResNet-14, CIFAR": resnet14_cifar(),
    "WRN-28-10, CIFAR": wrn28_10_cifar(),
    "ResNet-50, ImageNet": resnet50_imagenet(),
}


def fused_bench():
    """What bench/cuda/fused_bench.cc times: one chip of one layer, so many vectors."""
    source = (pathlib.Path(__file__).resolve().parents[1] / "cuda/fused_bench.cc").read_text()
    layers = re.search(r"kLayers\[\] = \{(.*?)\};", source, re.DOTALL).group(1)
    return [Layer(f"{vectors} vectors, {rows} rows, {columns} columns", int(rows), int(columns), int(vectors))
            for vectors, rows, columns in re.findall(r"\{(\d+), (\d+), (\d+)\}", layers)]
