"""python3 tests/cuda_on_cpu/mutants.py [--only TEXT] [--first N]: breaks the CUDA backend in many small ways, one at a time, and says of each
whether the tests notice. Works on a copy of the tree in build/mutants; an hour on two cores. Exit code 0 where every mutant is
caught or has a written reason."""

import argparse
import dataclasses
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "build/mutants/tree"
BUILD = ROOT / "build/mutants/build"
KERNEL = "kernels/cuda/crossbar_mvm_adc.cu"
INPUTS, ARRAYS = "kernels/cuda/crossbar_inputs.h", "kernels/cuda/crossbar_arrays.h"
SUMS, CODES, FIT = "kernels/cuda/crossbar_sums.h", "kernels/cuda/crossbar_codes.h", "kernels/cuda/crossbar_fit.cc"
TENSOR = "kernels/cuda/tensor_core.h"
DRAWS, SAMPLER = "kernels/cuda/draws4.h", "kernels/cuda/cell_sampler.h"


@dataclasses.dataclass
class Mutant:
    file: str
    before: str
    after: str
    nth: int = 1  # which occurrence
    reason: str = ""  # why it may be missed


MUTANTS = [
    # barriers
    Mutant(KERNEL, "__syncthreads();", ";", 1),
    Mutant(KERNEL, "__syncthreads();", ";", 2),
    Mutant(KERNEL, "__syncthreads();", ";", 3),
    # shared buffers one element too small
    Mutant(FIT, "(launch.kind == ReadKind::wide ? 2 : 1));", "(launch.kind == ReadKind::wide ? 2 : 1) - 1);"),
    Mutant(FIT, "s.add<std::byte>(planes);", "s.add<std::byte>(planes - 1);", 1),
    Mutant(FIT, "s.add<std::byte>(planes) : 0", "s.add<std::byte>(planes - 1) : 0"),
    Mutant(FIT, "s.add<Joined<QuietBytes>>(sums)", "s.add<Joined<QuietBytes>>(sums - 1)"),
    Mutant(FIT, "s.add<Joined<WideCodes>>(sums)", "s.add<Joined<WideCodes>>(sums - 1)"),
    Mutant(FIT, "s.add<int64_t>(block_vectors);", "s.add<int64_t>(block_vectors - 1);"),
    Mutant(FIT, "round_up(largest_row_tile(l), 32) + 16", "round_up(largest_row_tile(l), 32) - 16"),
    # which kernel holds a layer
    Mutant(FIT, "32767 < int64_t{1} << 31 &&", "32767 < int64_t{1} << 32 &&"),
    Mutant(FIT, "largest_joined < std::ldexp(1.0, 30)", "largest_joined < std::ldexp(1.0, 40)"),
    Mutant(FIT, "codes.phases * ", ""),
    Mutant(FIT, "* l.conversions()", ""),
    Mutant(FIT, "* l.row_tiles()", ""),
    Mutant(FIT, "* largest_part(l) * last_weight", "* last_weight"),
    Mutant(FIT, "!e.ideal_converters && ", ""),
    Mutant(FIT, "&& !e.converter_noise", ""),
    Mutant(FIT, "return chunks_;", "return chunks_.pop_back(), chunks_;"),
    Mutant(KERNEL, "p.block.columns / 16;", "2;"),
    # counter words and keys
    Mutant(DRAWS, "static_cast<uint32_t>(block >> 32), c2", "0u, c2", 1,
           "blocks above 2^32 would take a layer of 2^34 cells or reads; kernels/rng.h's own test covers the word"),
    Mutant(DRAWS, "c2 = stream.chip", "c2 = stream.chip + 1"),
    Mutant(DRAWS, "<< 24 | stream.layer", "<< 24 | (stream.layer + 1)"),
    Mutant(DRAWS, "static_cast<uint32_t>(stream.domain) << 24", "static_cast<uint32_t>(stream.domain) << 23"),
    Mutant(DRAWS, "r * PHILOX_W32_0", "(r + 1) * PHILOX_W32_0"),
    Mutant(DRAWS, "static_cast<uint32_t>(seed >> 32)", "static_cast<uint32_t>(seed)"),
    Mutant(DRAWS, "r < 10; ++r) {\n        const", "r < 9; ++r) {\n        const"),
    Mutant(DRAWS, "^ c3 ^", "^ c1 ^"),
    Mutant(DRAWS, "normal_pair(w.word[0], w.word[1])", "normal_pair(w.word[1], w.word[0])"),
    # cells
    Mutant(SAMPLER, "Domain::programming, s.layer}, first / 4), false)", "Domain::programming, s.layer}, first / 4 + 1), false)"),
    Mutant(SAMPLER, "Domain::fault, s.layer}", "Domain::programming, s.layer}"),
    Mutant(SAMPLER, "i < 4 && i < columns", "i < 4"),
    Mutant(SAMPLER, "cells.clipped += cell.clipped;", ""),
    Mutant(ARRAYS, "byte == 0 ? 0x0040u : 0x0051u", "byte == 0 ? 0x0040u : 0x0040u"),
    Mutant(ARRAYS, "there ? byte_column(g, 1) : 0", "byte_column(g, 1)", 1,
           "columns past the last are read by no lane that reports: LanePlaces::there() is false for them"),
    Mutant(ARRAYS, "row + r >= rows", "row + r > rows"),
    Mutant(ARRAYS, "element += (row_step - 4) * pitch;", "element += row_step * pitch;"),
    Mutant(ARRAYS, "+ 2 * plane * polarity", "+ plane * polarity"),
    Mutant(ARRAYS, "read_variance(static_cast<int16_t>(g[c][r]))", "g[c][r]"),
    # inputs
    Mutant(INPUTS, "x >= 0 && x < g.in_width", "x >= 0 && x <= g.in_width"),
    Mutant(INPUTS, "y >= 0 && y < g.in_height", "y > 0 && y < g.in_height"),
    Mutant(INPUTS, "* g.stride[1] - g.pad[1]", "* g.stride[2] - g.pad[2]"),
    Mutant(INPUTS, "group * g.group_channels", "group"),
    Mutant(INPUTS, "return static_cast<Code>(p.read.code_offset);  // code 0", "return Code{0};"),
    Mutant(INPUTS, "p.read.bias_drive + p.read.code_offset", "p.read.bias_drive"),
    Mutant(INPUTS, "if (lane == 0) sums[v] += sum;", "if (lane == 1) sums[v] += sum;"),
    # products and sums
    Mutant(SUMS, "load_matrix4(g + cells.plane + k, high)", "load_matrix4(g + k, high)"),
    Mutant(SUMS, "(step * read.dac_bits)", "step"),
    Mutant(SUMS, "t < kMost - 1", "t < kMost - 2"),
    Mutant(SUMS, "first_step + kMost <= p.read.steps", "first_step + kMost <= p.read.steps + 1"),
    Mutant(SUMS, "if (place < last)", "if (place > last)"),
    Mutant(SUMS, "* 256 +", "* 255 +"),
    Mutant(SUMS, "part * part >> (square == 2 ? 8 : 0)", "part * part >> (square == 2 ? 7 : 0)"),
    Mutant(SUMS, "lane / 4 + 8 * h;", "lane / 4 + 4 * h;"),
    Mutant(SUMS, "odd ? at.place[1] : at.place[0]", "at.place[0]"),
    Mutant(SUMS, "odd ? w.word[0] : w.word[2]", "w.word[2]"),
    Mutant(SUMS, "odd ? w.word[1] : w.word[3]", "w.word[1]"),
    Mutant(SUMS, "odd ? normal_pair(w.word[2], w.word[3])", "odd ? normal_pair(w.word[0], w.word[1])"),
    Mutant(SUMS, "i % 2 == 0 ? n[i / 2].first : n[i / 2].second", "n[i / 2].first"),
    Mutant(SUMS, "c.read += t;", ""),
    Mutant(SUMS, "noise[e / kLaneSums][e / 4 % 2][e % 4] = -noise", "noise[e / kLaneSums][e / 4 % 2][e % 4] = noise"),
    Mutant(SUMS, "*p.first_image * p.places", "*p.first_image"),
    Mutant(TENSOR, "a[2 * half + i]", "a[half + 2 * i]"),
    Mutant(TENSOR, "column + 4 * i + quarter", "column + i + quarter"),
    Mutant(TENSOR, "x[i / 2], y[i % 2]", "x[i % 2], y[i / 2]"),
    # conversion and joining
    Mutant(CODES, "Domain::converter_noise", "Domain::read_noise"),
    Mutant(CODES, "{p.converter_a[element], p.converter_b[element]}", "{p.converter_a[element], 0.0f}"),
    Mutant(CODES, "c.slice * p.cell_bits", "c.slice"),
    Mutant(CODES, "(c.polarity == 0 ? 1 : -1)", "1"),
    Mutant(CODES, "c.a * unit", "c.a"),
    Mutant(CODES, "code < most ? code : most", "code"),
    Mutant(CODES, ">> kept", ""),
    Mutant(KERNEL, "unit *= p.read.part_unit", "unit *= 0.5f"),
    Mutant(KERNEL, "weight <<= p.read.dac_bits", "weight <<= 1"),
    Mutant(KERNEL, "phase == 0 ? 1 : -1", "1"),
    Mutant(KERNEL, "joined.sum -= reference.sum;", ""),
    Mutant(KERNEL, "vector >= p.geometry.vectors ||", ""),
    Mutant(KERNEL, "chunk.owned >> slot & 1", "1"),
    Mutant("kernels/conductance.h", "rintf(fminf(fmaxf(g, 0.0f), kGridMax))", "floorf(fminf(fmaxf(g, 0.0f), kGridMax))"),
    Mutant("kernels/conductance.h", "kGridMax = 32767.0f", "kGridMax = 32766.0f"),
    Mutant(CODES, "__float2uint_rn(v)", "__float2uint_rn(floorf(v))"),
    Mutant(CODES, "static_cast<unsigned>(largest)", "static_cast<unsigned>(largest) + 1"),
    # whole networks
    Mutant("kernels/cuda/perturb_weights.cu", "block * 4 - first", "block * 4 - first + 1"),
    Mutant("kernels/cuda/movement.cu", "y_run + begin + i % run", "y_run + i % run"),
    Mutant("kernels/cuda/stream.cc", "graphs_.clear();", ";", 1,
           "a workspace that grows after a batch was recorded needs a library that asks for more for fewer images"),
    Mutant("kernels/cuda/stream.cc", "graphs_[images_].run(own.programming()", "graphs_[images_].run(1"),
    Mutant("kernels/cuda/program.cc", "own.programming_ = ++programmings;", "own.programming_ = 1;"),
    Mutant("kernels/cuda/measure.cu", "rank < 5", "rank <= 5"),
]

FAST = "*CrossbarOracle*:*Lowering.executes*:*perturbed*:*scores*/parameter:*any_batch*/parameter"
CHIPS = "*ChipContract*"


def copy_tree():
    """What git tracks and what it does not ignore; files that are the same keep their time, so that little is compiled again."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    wanted = set(listed.stdout.splitlines())
    for name in wanted:
        source, target = ROOT / name, COPY / name
        if not source.is_file():
            continue
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for old in [f for f in COPY.rglob("*") if f.is_file() and str(f.relative_to(COPY)) not in wanted]:
        old.unlink()


def build():
    made = subprocess.run(["cmake", "--build", BUILD, "--target", "fit_test", "tensor_core_test", "emulated_contract_test", "backend_races_test"], capture_output=True, text=True)
    return made.returncode == 0, made.stdout[-3000:]


def fails(program, tests, seconds):
    """Whether a test program fails, aborts or hangs."""
    path = BUILD / "tests/cuda_on_cpu" / program
    try:
        ran = subprocess.run([path, f"--gtest_filter={tests}", "--gtest_brief=1", "--gtest_fail_fast"], capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return True
    return ran.returncode != 0


def caught_by():
    for program, tests, seconds in (("fit_test", "*", 60), ("tensor_core_test", "*", 60), ("emulated_contract_test", FAST, 900), ("backend_races_test", "*CrossbarOracle*:-*a_thousand_rows*:*both_sides*", 900),
                                    ("emulated_contract_test", CHIPS, 900)):
        if fails(program, tests, seconds):
            return program
    return ""


def mutated(text, mutant):
    at = -1
    for _ in range(mutant.nth):
        at = text.find(mutant.before, at + 1)
        if at < 0:
            return None
    return text[:at] + mutant.after + text[at + len(mutant.before):]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="mutants whose file or text holds this")
    parser.add_argument("--first", type=int, default=1, help="number of the mutant to begin with: goes on where a run was ended")
    options = parser.parse_args()
    copy_tree()
    subprocess.run(["cmake", "-S", COPY, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DMHO_CUDA=OFF", "-DMHO_BENCH=OFF"],
                   check=True, stdout=subprocess.DEVNULL)
    good, output = build()
    if not good:
        sys.exit(f"the tree as it is does not build:\n{output}")
    if caught := caught_by():
        sys.exit(f"{caught} fails on the tree as it is")
    bad = 0
    for number, mutant in enumerate(MUTANTS, 1):
        if number < options.first or options.only not in mutant.file + mutant.before:
            continue
        file, begin = COPY / mutant.file, time.monotonic()
        original = file.read_text()
        text = mutated(original, mutant)
        if text is None:
            verdict, bad = "its text is not in the file: mend this list", bad + 1
        else:
            file.write_text(text)
            built, output = build()
            verdict = f"caught by {by}" if built and (by := caught_by()) else "not caught" if built else "does not compile"
            file.write_text(original)
            if not verdict.startswith("caught"):
                bad += not mutant.reason
                verdict += f": {mutant.reason}" if mutant.reason else "  <<<"
        print(f"{number:3} {time.monotonic() - begin:5.0f} s  {mutant.file}: {mutant.before!r} -> {mutant.after!r}"
              f"{f' ({mutant.nth})' if mutant.nth > 1 else ''}: {verdict}", flush=True)
    print(f"{len(MUTANTS)} mutants, {bad} missed without a reason")
    sys.exit(1 if bad else 0)


main()
