"""python3 bench/gpu_model [--build DIR] [--out FILE]: what the fused kernel costs, and which bound each network meets first."""

import argparse
import datetime
import math
import pathlib

import kernel
import sass
from gpus import GPUS
from networks import NETWORKS, fused_bench

TILE_ROWS, CHUNK, BLOCK_VECTORS = 256, 32, 256
BLOCK_THREADS = kernel.BLOCK_THREADS
STEPS, SLICES, POLARITIES, PLANES = 8, 4, 2, 2  # 8-bit inputs bit by bit, 8-bit weights in differential 2-bit cells
BATCH = 256  # images a launch


def padded(n, to):
    return math.ceil(n / to) * to


def block_shared_bytes():
    """As kernels/cuda/crossbar_fit.cc lays a block out for arrays of TILE_ROWS rows."""
    pitch = padded(TILE_ROWS, 32) + 16
    return BLOCK_VECTORS * pitch + 2 * CHUNK * pitch + BLOCK_VECTORS * CHUNK * 4 + BLOCK_VECTORS * 8


def blocks_a_multiprocessor(gpu, counts):
    by_registers = gpu.registers // (padded(counts.registers, 8) * BLOCK_THREADS)
    by_shared = gpu.shared_kib * 1024 // (block_shared_bytes() + 1024)
    return min(by_registers, by_shared)


def blocks_of(layer, images):
    """Blocks of one launch: over vectors, over columns."""
    return math.ceil(layer.vectors * images / BLOCK_VECTORS), math.ceil(layer.columns / CHUNK)


def rounds_of(layer, images, gpu):
    """By how much the last, partly filled round of blocks over all multiprocessors lengthens a launch."""
    blocks = math.prod(blocks_of(layer, images))
    return math.ceil(blocks / gpu.multiprocessors) * gpu.multiprocessors / blocks


def layer_work(layer, images=BATCH):
    """Of one launch: cells sampled, tensor products, conversions, bytes moved."""
    vectors = layer.vectors * images
    vector_blocks, chunks = blocks_of(layer, images)
    arrays = SLICES * POLARITIES
    row_tiles = math.ceil(layer.rows / TILE_ROWS)
    rows = row_tiles * padded(math.ceil(layer.rows / row_tiles), 32)
    cells = vector_blocks * chunks * CHUNK * rows * arrays
    products = vector_blocks * (BLOCK_VECTORS // 16) * chunks * (CHUNK // 8) * (rows // 32) * arrays * PLANES * STEPS
    conversions = vectors * layer.columns * row_tiles * arrays * STEPS
    moved = vectors * (layer.rows * min(chunks, 1) + 4 * layer.columns)  # codes once (then from cache), outputs
    return cells, products, conversions, moved


def layer_seconds(layer, gpu, counts, images=BATCH):
    """(instruction issue, tensor cores, memory): the largest is the bound."""
    cells, products, conversions, moved = layer_work(layer, images)
    warp_instructions = (cells * counts.cell + conversions * counts.conversion) / kernel.LANES + products * counts.instructions_a_product
    issue = warp_instructions / (gpu.multiprocessors * gpu.issue * gpu.clock_ghz * 1e9)
    tensor = products * kernel.MACS_A_PRODUCT * 2 / (gpu.int8_tops * 1e12)
    rounds = rounds_of(layer, images, gpu)
    return issue * rounds, tensor * rounds, moved / (gpu.memory_tb_s * 1e12)


def images_a_second(layers, gpu, counts):
    seconds, bounds = 0.0, [0.0, 0.0, 0.0]
    for layer in layers:
        times = layer_seconds(layer, gpu, counts)
        seconds += max(times)
        bounds[times.index(max(times))] += max(times)
    return BATCH / seconds, [b / seconds for b in bounds]


def kernel_table(all_counts):
    yield "| architecture | registers | stack | spilled | instructions a cell | IMMA in the multiplying loop | instructions an IMMA | instructions a conversion |"
    yield "|---|---|---|---|---|---|---|---|"
    for c in all_counts.values():
        yield (f"| {c.architecture} | {c.registers} | {c.stack_bytes} B | {c.spill_bytes} B | {c.cell:.1f} | {c.products} of {c.product_loop} "
               f"| {c.instructions_a_product:.1f} | {c.conversion:.1f} |")


def mix(code):
    return ", ".join(f"{n} {op}" for op, n in sass.by_operation(code).most_common(12))


def bench_table(all_counts):
    yield "| layer | " + " | ".join(g.name for g in GPUS) + " |"
    yield "|---|" + "---|" * len(GPUS)
    for layer in fused_bench():
        bounds = (max(layer_seconds(layer, gpu, all_counts[gpu.architecture], images=1)) for gpu in GPUS)
        yield f"| {layer.name} | " + " | ".join(f"{1e3 * b:.3f}" for b in bounds) + " |"


def arithmetic(layer, gpu, counts):
    cells, products, conversions, moved = layer_work(layer)
    issue, tensor, memory = layer_seconds(layer, gpu, counts)
    yield f"`{layer.name}` of WRN-28-10 on {gpu.name}, {BATCH} images: {layer.rows} rows, {layer.columns} columns, {layer.vectors} positions."
    yield ""
    yield (f"- cells sampled: {cells:,} x {counts.cell:.1f} instructions / 32 lanes = {cells * counts.cell / 32:,.0f} warp instructions")
    yield (f"- tensor products (16 x 8 x 32): {products:,} x {counts.instructions_a_product:.1f} instructions = "
           f"{products * counts.instructions_a_product:,.0f}")
    yield (f"- conversions: {conversions:,} x {counts.conversion:.1f} / 32 = {conversions * counts.conversion / 32:,.0f}")
    rounds = rounds_of(layer, BATCH, gpu)
    yield f"- blocks: {math.prod(blocks_of(layer, BATCH)):,} over {gpu.multiprocessors} multiprocessors, the last round partly filled: x {rounds:.3f}"
    yield (f"- issue: the sum x {rounds:.3f} over {gpu.multiprocessors} multiprocessors x {gpu.issue} a clock x {gpu.clock_ghz} GHz = {issue * 1e3:.2f} ms")
    yield (f"- tensor cores: {products:,} x {kernel.MACS_A_PRODUCT} multiply-adds x 2 x {rounds:.3f} / {gpu.int8_tops} TOPS = {tensor * 1e3:.2f} ms")
    yield (f"- memory: {moved / 1e6:,.0f} MB / {gpu.memory_tb_s} TB/s = {memory * 1e3:.3f} ms")


def report(all_counts):
    yield "# What the fused kernel costs, and what GPUs could reach with it: a prediction"
    yield ""
    yield (f"Made by `python3 bench/gpu_model` on {datetime.date.today()} from machine code alone. Nothing here was measured on a GPU. Rates are upper "
           "bounds: no latency, no bank conflicts, no gaps between launches, one block a multiprocessor at a time, every clock at its published boost. mma.sync, which the kernel uses, is "
           "known not to reach the published tensor rate on Hopper and later.")
    yield ""
    yield "## From machine code (codes in bytes, four steps at a time, normal programming errors, no read noise)"
    yield ""
    yield from kernel_table(all_counts)
    yield ""
    some = all_counts["sm_90"]
    yield f"Sampling loop, sm_90, {kernel.CELLS_A_TURN} cells: {mix(some.sampling)}."
    yield ""
    yield f"Multiplying loop, sm_90: {mix(some.multiplying)}."
    yield ""
    yield (f"A block: {BLOCK_THREADS} threads, {BLOCK_VECTORS} vectors, {CHUNK} columns, {block_shared_bytes():,} bytes of shared memory for arrays of "
           f"{TILE_ROWS} rows. Blocks a multiprocessor: "
           + ", ".join(f"{g.name} {blocks_a_multiprocessor(g, all_counts[g.architecture])}" for g in GPUS) + ".")
    yield ""
    yield f"## Predicted images/s (8-bit inputs in {STEPS} steps, {SLICES} slices, differential, {TILE_ROWS} rows, {BATCH} images a launch)"
    yield ""
    yield "| network | " + " | ".join(f"{g.name}" for g in GPUS) + " |"
    yield "|---|" + "---|" * len(GPUS)
    for name, layers in NETWORKS.items():
        cells = []
        for gpu in GPUS:
            rate, bounds = images_a_second(layers, gpu, all_counts[gpu.architecture])
            shares = zip(("issue", "tensor", "memory"), bounds)
            cells.append(f"{rate:,.0f} (" + ", ".join(f"{b:.0%} {n}" for n, b in shares if b >= 0.005) + ")")
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""
    yield "In brackets: the share of the time that is bound by instruction issue, tensor cores or memory. The arithmetic, for one layer:"
    yield ""
    layer = next(l for l in NETWORKS["WRN-28-10, CIFAR"] if l.name == "stage 2 block 2 a")
    yield from arithmetic(layer, GPUS[1], some)
    yield ""
    yield "## The layers of `build/release/bench/fused_bench`: milliseconds a chip, at the bound"
    yield ""
    yield from bench_table(all_counts)


def main():
    parser = argparse.ArgumentParser(prog="bench/gpu_model")
    parser.add_argument("--out", type=pathlib.Path, help="write the report there too")
    parser.add_argument("--build", type=pathlib.Path, default=kernel.ROOT / "build/release", help="a configured build, whose generated headers the kernel includes")
    options = parser.parse_args()
    all_counts = {}
    for architecture in dict.fromkeys(g.architecture for g in GPUS):
        all_counts[architecture] = kernel.count(architecture, *kernel.compile_and_read(architecture, options.build / "generated"))
    text = "\n".join(report(all_counts)) + "\n"
    print(text, end="")
    if options.out:
        options.out.write_text(text)


main()
