"""python3 tests/mutants [--only TEXT...] [--first N] [--jobs N]: breaks mho in many small ways, one in a tree, and says of each whether the
tests notice. One file a room of mutants. Works on copies of the tree in build/mutants; hours on two cores. Exit code 0 where every mutant
is caught or has a written reason."""

import argparse
import concurrent.futures
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import cpu  # noqa: E402
import crossbar  # noqa: E402
import cuda  # noqa: E402
import host  # noqa: E402
import steps  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = [steps, cpu, crossbar, host, cuda]
MUTANTS = [mutant for room in ROOMS for mutant in room.MUTANTS]


def tests_of(mutant):
    """Those that look at its file, in the order of how soon they notice: of the longest path that begins it."""
    room = next(room for room in ROOMS if mutant in room.MUTANTS)
    return room.LOOKED_AT_BY[max((path for path in room.LOOKED_AT_BY if mutant.file.startswith(path)), key=len)]


class Workshop:
    """A copy of the tree and a build of it, where one mutant at a time is made and tried."""

    sound, looking = set(), threading.Lock()  # tests that pass on the tree as it is

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

    def prepare(self):
        self.copy_tree()
        subprocess.run(["cmake", "-S", self.tree, "-B", self.build_folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DMHO_CUDA=OFF", "-DMHO_BENCH=OFF"],
                       check=True, stdout=subprocess.DEVNULL, env=self.environment)

    def build(self, program, jobs=1):
        made = subprocess.run(["cmake", "--build", self.build_folder, f"-j{jobs}", "--target", program], capture_output=True, env=self.environment)
        return made.returncode == 0

    def fails(self, test):
        """Whether a test program fails, aborts or hangs."""
        path = next(p for p in (self.build_folder / "tests" / test.program, self.build_folder / "tests/cuda_on_cpu" / test.program) if p.exists())
        try:
            ran = subprocess.run([path, f"--gtest_filter={test.filter}", "--gtest_brief=1", "--gtest_fail_fast"], capture_output=True, timeout=test.seconds)
        except subprocess.TimeoutExpired:
            return True
        return ran.returncode != 0

    def require_sound(self, test):
        """That a test passes on the tree as it is; looked at when a mutant asks for it first."""
        with Workshop.looking:
            if test in Workshop.sound:
                return
            if not self.build(test.program, os.cpu_count()):
                raise SystemExit(f"the tree as it is does not build: {self.build_folder}")
            if self.fails(test):
                raise SystemExit(f"{test.program} {test.filter} fails on the tree as it is")
            Workshop.sound.add(test)

    def verdict(self, mutant):
        for test in tests_of(mutant):
            self.require_sound(test)
        file = self.tree / mutant.file
        original = file.read_text()
        text = mutant.of(original)
        if text is None:
            return "its text is not in the file: mend this list"
        file.write_text(text)
        try:
            for test in tests_of(mutant):
                if not self.build(test.program):
                    return "does not compile"
                if self.fails(test):
                    return f"caught by {test.program}"
            return "not caught"
        finally:
            file.write_text(original)


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
    parser = argparse.ArgumentParser(prog="python3 tests/mutants")
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT", help="mutants whose file or text holds one of these")
    parser.add_argument("--first", type=int, default=1, help="number of the mutant to begin with: goes on where a run was ended")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="mutants at a time")
    options = parser.parse_args()
    chosen = [(n, m) for n, m in enumerate(MUTANTS, 1) if n >= options.first and any(text in m.file + m.before for text in options.only)]
    workshops = [Workshop(number) for number in range(options.jobs)]
    for workshop in workshops:
        workshop.prepare()
    idle = queue.Queue()
    for workshop in workshops:
        idle.put(workshop)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        good = list(pool.map(lambda numbered: tried(*numbered, idle), chosen))
    print(f"{len(good)} mutants, {good.count(False)} missed without a reason")
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
