"""python3 tests/cuda_on_cpu/mutants.py [--only TEXT...] [--first N] [--jobs N]: breaks the CUDA backend in many small ways, one in a tree, and says
of each whether the tests notice. Works on copies of the tree in build/mutants; an hour on two cores. Exit code 0 where every mutant is
caught or has a written reason."""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
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
    # (planes end in 16 bytes that only keep rows in different banks)
    Mutant(FIT, "s.add<std::byte>(planes);", "s.add<std::byte>(planes - 17);", 1),
    Mutant(FIT, "s.add<std::byte>(planes) : 0", "s.add<std::byte>(planes - 17) : 0"),
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
           "blocks above 2^32 would take a layer of 2^34 cells or reads; kernels/base/rng.h's own test covers the word"),
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
    Mutant(ARRAYS, "row + r >= rows", "row + r > rows", 1,
           "rows past the last have codes 0, so that whatever is sampled for them multiplies nothing"),
    Mutant(ARRAYS, "element += (row_step - 4) * pitch;", "element += row_step * pitch;"),
    Mutant(ARRAYS, "+ 2 * plane * polarity", "+ plane * polarity"),
    Mutant(ARRAYS, "read_variance(static_cast<int16_t>(g[c][r]))", "g[c][r]"),
    # inputs
    Mutant(INPUTS, "x >= 0 && x < g.in_width", "x >= 0 && x <= g.in_width"),
    Mutant(INPUTS, "y >= 0 && y < g.in_height", "y > 0 && y < g.in_height"),
    Mutant(INPUTS, "* g.stride[1] - g.pad[1]", "* g.stride[2] - g.pad[1]"),
    Mutant(INPUTS, "* g.stride[1] - g.pad[1]", "* g.stride[1] - g.pad[2]"),
    Mutant(INPUTS, "group * g.group_channels", "group"),
    Mutant(INPUTS, "return static_cast<Code>(p.read.code_offset);  // code 0", "return Code{0};"),
    Mutant(INPUTS, "p.read.bias_drive + p.read.code_offset", "p.read.bias_drive"),
    Mutant(INPUTS, "if (lane == 0) sums[v] += sum;", "if (lane == 1) sums[v] += sum;"),
    # products and sums
    Mutant(SUMS, "load_matrix4(g + cells.plane + k, high)", "load_matrix4(g + k, high)"),
    Mutant(SUMS, "(step * read.dac_bits)", "step"),
    Mutant(SUMS, "t < kMost - 1", "t < kMost - 2"),
    Mutant(SUMS, "first_step + kMost <= p.read.steps", "first_step + kMost <= p.read.steps + 1", 1,
           "multiplies a step too many, whose sums read_tile() drops: slower, not wrong"),
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
    Mutant(SUMS, "p.images[image]) * places", "p.images[image])"),
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
    Mutant(KERNEL, "joined.sum -= reference.sum;", ";"),
    Mutant(KERNEL, "vector >= p.geometry.vectors ||", ""),
    Mutant(KERNEL, "chunk.owned >> slot & 1", "1"),
    Mutant("kernels/crossbar/conductance.h", "rintf(fminf(fmaxf(g, 0.0f), kGridMax))", "floorf(fminf(fmaxf(g, 0.0f), kGridMax))"),
    Mutant("kernels/crossbar/conductance.h", "kGridMax = 32767.0f", "kGridMax = 32766.0f"),
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

# Tests in the order of how soon they notice: program, filter, seconds after which it counts as hanging.
TESTS = [
    ("fit_test", "*", 120),
    ("tensor_core_test", "*", 120),
    ("emulated_contract_test", "*CrossbarOracle*:*Lowering.executes*:*perturbed*:*scores*/parameter:*any_batch*/parameter:*a_stream_runs*", 1800),
    ("backend_races_test", "*CrossbarOracle*:-*a_thousand_rows*:*both_sides*", 1800),
    ("emulated_contract_test", "*ChipContract*", 1800),
]


class Workshop:
    """A copy of the tree and a build of it, where one mutant at a time is made and tried."""

    def __init__(self, number):
        self.tree = ROOT / f"build/mutants/{number}/tree"
        self.build_folder = ROOT / f"build/mutants/{number}/build"
        # What one workshop compiled, the others find.
        self.environment = {**os.environ, "CCACHE_BASEDIR": str(self.tree.parent), "CCACHE_NOHASHDIR": "1"}

    def copy_tree(self):
        """What git tracks and what it does not ignore; files that are the same keep their time, so that little is compiled again."""
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
        wanted = set(listed.stdout.splitlines())
        for name in wanted:
            source, target = ROOT / name, self.tree / name
            if not source.is_file():
                continue
            if not target.exists() or target.read_bytes() != source.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        for old in [f for f in self.tree.rglob("*") if f.is_file() and str(f.relative_to(self.tree)) not in wanted]:
            old.unlink()

    def prepare(self, jobs):
        self.copy_tree()
        subprocess.run(["cmake", "-S", self.tree, "-B", self.build_folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DMHO_CUDA=OFF", "-DMHO_BENCH=OFF"],
                       check=True, stdout=subprocess.DEVNULL, env=self.environment)
        if not self.build(jobs):
            sys.exit(f"the tree as it is does not build: {self.build_folder}")

    def build(self, jobs):
        programs = dict.fromkeys(program for program, _, _ in TESTS)
        made = subprocess.run(["cmake", "--build", self.build_folder, f"-j{jobs}", "--target", *programs], capture_output=True, env=self.environment)
        return made.returncode == 0

    def fails(self, program, tests, seconds):
        """Whether a test program fails, aborts or hangs."""
        path = self.build_folder / "tests/cuda_on_cpu" / program
        try:
            ran = subprocess.run([path, f"--gtest_filter={tests}", "--gtest_brief=1", "--gtest_fail_fast"], capture_output=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            return True
        return ran.returncode != 0

    def caught_by(self):
        return next((test[0] for test in TESTS if self.fails(*test)), "")

    def verdict(self, mutant):
        file = self.tree / mutant.file
        original = file.read_text()
        text = mutated(original, mutant)
        if text is None:
            return "its text is not in the file: mend this list"
        file.write_text(text)
        built = self.build(1)
        by = self.caught_by() if built else ""
        file.write_text(original)
        return f"caught by {by}" if by else "not caught" if built else "does not compile"


def mutated(text, mutant):
    at = -1
    for _ in range(mutant.nth):
        at = text.find(mutant.before, at + 1)
        if at < 0:
            return None
    return text[:at] + mutant.after + text[at + len(mutant.before):]


def tried(number, mutant, idle):
    """Whether a mutant is caught or has a reason; says so."""
    workshop, begin = idle.get(), time.monotonic()
    verdict = workshop.verdict(mutant)
    idle.put(workshop)
    good = verdict.startswith("caught") or verdict == "not caught" and mutant.reason != ""
    if not verdict.startswith("caught"):
        verdict += f": {mutant.reason}" if good else "  <<<"
    print(f"{number:3} {time.monotonic() - begin:5.0f} s  {mutant.file}: {mutant.before!r} -> {mutant.after!r}"
          f"{f' ({mutant.nth})' if mutant.nth > 1 else ''}: {verdict}", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT", help="mutants whose file or text holds one of these")
    parser.add_argument("--first", type=int, default=1, help="number of the mutant to begin with: goes on where a run was ended")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="mutants at a time")
    options = parser.parse_args()
    workshops = [Workshop(number) for number in range(options.jobs)]
    for workshop in workshops:
        workshop.prepare(options.jobs)
    if by := workshops[0].caught_by():
        sys.exit(f"{by} fails on the tree as it is")
    chosen = [(n, m) for n, m in enumerate(MUTANTS, 1) if n >= options.first and any(text in m.file + m.before for text in options.only)]
    idle = queue.Queue()
    for workshop in workshops:
        idle.put(workshop)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        good = list(pool.map(lambda numbered: tried(*numbered, idle), chosen))
    print(f"{len(good)} mutants, {good.count(False)} missed without a reason")
    sys.exit(0 if all(good) else 1)


main()
