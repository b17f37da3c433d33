"""Counts of the fused kernel, kernels/cuda/crossbar_mvm_adc.cu, in the variant that a sweep runs: codes in bytes, four steps at a
time, normal programming errors, converters alone between sums and codes."""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import sass

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "kernels/cuda/crossbar_mvm_adc.cu"
VARIANT = re.compile(r"crossbar_mvm_adcI\w*QuietBytesELb0ELb0ELN\w*CellErrorsE0")
NOISY_VARIANT = re.compile(r"crossbar_mvm_adcI\w*ByteCodesILi2EEELb1ELb0ELN\w*CellErrorsE0")

CELLS_A_TURN = 16  # of the sampling loop: four rows of four columns
MACS_A_PRODUCT = 16 * 8 * 32  # of one IMMA m16n8k32
LANES = 32
BLOCK_THREADS = int(re.search(r"kBlockThreads = (\d+)", SOURCE.with_suffix(".h").read_text()).group(1))
CONVERSIONS_A_LANE = 4 * 8  # four steps of eight sums: what a lane converts between two multiplying loops


@dataclasses.dataclass(frozen=True)
class Counts:
    architecture: str
    registers: int
    stack_bytes: int
    spill_bytes: int
    cell: float  # instructions of a thread for one cell
    sampling: list  # the loop's instructions
    products: int  # IMMA in the multiplying loop
    product_loop: int  # all instructions of that loop
    multiplying: list
    conversion: float  # instructions of a lane for one conversion, sums joined and codes added

    @property
    def instructions_a_product(self) -> float:
        return self.product_loop / self.products


def _tool(name):
    for folder in (None, *(pathlib.Path(p) / "nvidia/cu13/bin" for p in sys.path), "/usr/local/cuda/bin"):
        found = shutil.which(name, path=str(folder) if folder else None)
        if found:
            return found
    sys.exit(f"gpu_model: {name} is not there; it comes with the CUDA toolkit, or pip install nvidia-cuda-{name}")


def compile_and_read(architecture, interface_folder):
    """(ptxas' report, kernels) for one architecture."""
    with tempfile.TemporaryDirectory() as folder:
        cubin = os.path.join(folder, "kernel.cubin")
        made = subprocess.run(
            [_tool("nvcc"), "-std=c++20", "-O3", "-fmad=false", "--expt-relaxed-constexpr", "-lineinfo", f"-arch={architecture}",
             "-Xptxas", "-v", f"-I{ROOT}", f"-I{interface_folder}", "-cubin", str(SOURCE), "-o", cubin],
            capture_output=True, text=True)
        if made.returncode:
            sys.exit(f"gpu_model: nvcc failed:\n{made.stderr}")
        listing = subprocess.run([_tool("nvdisasm"), "-g", "-c", cubin], capture_output=True, text=True, check=True).stdout
    return made.stderr, sass.parse(listing)


def resources(report, variant):
    """(registers, stack bytes, spilled bytes) that ptxas reports for a variant."""
    blocks = re.split(r"Compiling entry function '", report)
    block = next(b for b in blocks if variant.search(b.split("'")[0]))
    stack, stores, loads = map(int, re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", block).groups())
    return int(re.search(r"Used (\d+) registers", block).group(1)), stack, stores + loads


def lines_of(file, function):
    """The lines of a function of kernels/cuda/FILE, from its name to its closing brace."""
    text = (ROOT / "kernels/cuda" / file).read_text()
    begin = re.search(rf"\b{function}\([^;]*?\{{\n", text).start()
    line = text[text.rfind("\n", 0, begin) + 1:]
    indent = line[:len(line) - len(line.lstrip())]  # of a member, or none
    return range(text.count("\n", 0, begin) + 1, text.count("\n", 0, text.index(f"\n{indent}}}\n", begin)) + 3)


def multiplying_loop(kernel):
    """Of the loops of tensor products the one that takes all steps at once, not those for the steps left of a read."""
    loops = [l for l in kernel.loops() if any(c.operation == "IMMA" for c in kernel.code[l.first : l.last + 1])]
    innermost = [l for l in loops if not any(l.first <= o.first and o.last <= l.last and o != l for o in loops)]
    return max(innermost, key=lambda l: sum(c.operation == "IMMA" for c in kernel.code[l.first : l.last + 1]))


def conversions_of(kernel, multiplying):
    """Instructions that turn the sums of one turn of the loop over steps into joined codes: all of that loop but products, how they
    are set up, and what only subtraction before the ADC runs."""
    around = [l for l in kernel.loops() if l.first < multiplying.first and l.last > multiplying.last]
    steps = min((l for l in around if any(i.file == "adc.h" for i in kernel.code[l.first : l.last + 1])), key=lambda l: l.last - l.first)
    products = {("crossbar_sums.h", line) for f in ("multiply_bytes", "multiply_steps", "step_mask", "negate")
                for line in lines_of("crossbar_sums.h", f)}
    other_files = ("tensor_core.h", "sm_20_intrinsics.hpp", "crossbar_arrays.h")
    return [i for i in kernel.code[steps.first : steps.last + 1] if i.file not in other_files and (i.file, i.line) not in products]


def count(architecture, report, kernels):
    kernel = next(k for name, k in kernels.items() if VARIANT.search(name))
    sampling = kernel.innermost(lambda i: i.operation == "MUFU" and i.file == "normal.h")
    sampled = kernel.executed(sampling.first, sampling.last)
    multiplying = multiplying_loop(kernel)
    loop = kernel.executed(multiplying.first, multiplying.last)
    products = sum(i.operation == "IMMA" for i in loop)
    converting = conversions_of(kernel, multiplying)
    registers, stack, spills = resources(report, VARIANT)
    return Counts(architecture, registers, stack, spills, len(sampled) / CELLS_A_TURN, sampled, products, len(loop), loop,
                  len(converting) / CONVERSIONS_A_LANE)
