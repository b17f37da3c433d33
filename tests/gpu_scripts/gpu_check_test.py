"""scripts/gpu_check, scripts/gpu_bundle and a bundle's launcher, as far as they go without a GPU: nvidia-smi, mho, the contract and the
benchmark are stand-ins of a few lines here, so that each can fail, hang or give other chips on purpose."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(os.environ.get("MHO_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
CHECK = ROOT / "scripts/gpu_check"

STAND_INS = {
    "bin/nvidia-smi": 'echo "Stand-in 100"',
    "bin/compute-sanitizer": 'echo "sanitizer: $*"; while [ ! -x "$1" ]; do shift; done; exec "$@"',
    # CHIPS_CPU, CHIPS_CUDA: the lines of chips.csv. HANG: a subcommand that does not end, and leaves its number in $PIDS.
    "built/host/mho": '''
        [ "${HANG:-}" != "$1" ] || { echo $$ >>"$PIDS"; trap "" TERM; while :; do sleep 1; done; }
        [ "$1" != info ] || { echo "auto      ${AUTO:-cuda}"; exit; }
        while [ $# -gt 0 ]; do
          case "$1" in --backend) backend=$2 ;; --out) out=$2 ;; esac
          shift
        done
        mkdir "$out"
        printf '{\\n  "images": 500\\n}\\n' >"$out/results.json"
        chips=$CHIPS_CPU
        [ $backend = cpu ] || chips=$CHIPS_CUDA
        printf 'point,device.sigma,chip,top1,top5,loss,clipped_cells\\n%s\\n' "$chips" >"$out/chips.csv"
        echo "1/1 chips  1,234 images/s" >&2''',
    # BREAK, HANG: a suite that fails, or that hangs after it has said something.
    "built/tests/cuda_contract_test": '''
        case "$*" in *list_tests*) printf 'Running main()\\nFirst.\\n  a\\nSecond/Cases.\\n  b/0  # GetParam() = 1\\nThird.\\n  c\\n'; exit ;; esac
        [ "$MHO_REQUIRE_GPU" = 1 ] || exit 1
        case "$*" in *"filter=${HANG:-none}."*) echo "begun"; echo $$ >>"$PIDS"; sleep 100 ;; esac
        case "$*" in *"filter=${BREAK:-none}."*) echo "broken"; exit 1 ;; esac
        echo "[==========] ${TESTS:-3} tests from 1 test suite ran."''',
    "built/bench/fused_bench": "echo ratio 6",
}
CHIPS = "0,0.1,0,0.9,1,0.125,0\n0,0.1,1,0.8,0.99,0.25,0"


class GpuCheck(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        for name, body in STAND_INS.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("#!/bin/sh\n" + body + "\n")
            file.chmod(0o755)
        (self.folder / "data/cifar-100").mkdir(parents=True)
        self.record = self.folder / "record.md"
        self.addCleanup(self.end_stand_ins)

    def environment(self, **more):
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "MHO_DATA": f"{self.folder}/data", "PIDS": f"{self.folder}/pids", "MHO_CUDA_PLUGIN": "",
                "CHIPS_CPU": CHIPS, "CHIPS_CUDA": CHIPS, **more}

    def started(self, *options, **more):
        command = [CHECK, "--built", self.folder / "built", "--record", self.record, *options]
        with open(self.folder / "out", "w") as out, open(self.folder / "err", "w") as err:
            return subprocess.Popen(command, env=self.environment(**more), stdout=out, stderr=err, start_new_session=True)

    def check(self, *options, **more):
        """Exit code; what it says is in self.out and self.err."""
        process = self.started(*options, **more)
        code = process.wait(timeout=120)
        self.out, self.err = (self.folder / "out").read_text(), (self.folder / "err").read_text()
        return code

    def end_stand_ins(self):
        for pid in self.stand_ins():
            os.kill(pid, signal.SIGKILL)

    def stand_ins(self):
        """Of those that hang, which still run."""
        pids = self.folder / "pids"
        alive = [pathlib.Path("/proc", pid) for pid in pids.read_text().split()] if pids.exists() else []
        return [int(p.name) for p in alive if p.exists() and ") Z " not in (p / "stat").read_text()]

    def titles(self):
        return re.findall("^## (.*)$", self.record.read_text(), re.MULTILINE)

    def test_what_is_worth_most_comes_first_and_all_is_recorded(self):
        self.assertEqual(self.check(), 0)
        wanted = ["what it finds", "contract", "chips equal", "chips near", "chips equal", "chips near", "fused against", *["images/s"] * 4,
                  *["compute-sanitizer"] * 4]
        titles = self.titles()
        self.assertEqual(len(titles), len(wanted))
        self.assertTrue(all(t.startswith(w) for t, w in zip(titles, wanted)), titles)
        text = self.record.read_text()
        for line in ("# mho on Stand-in 100", "    auto      cuda", "    Second/Cases.", "    chips.csv: equal", "    ratio 6", "images/s",
                     "2 chips of 500 images: top-1 differs by 0 images at most, top-5 by 0 (allowed: 2), loss by 0.0e+00", "sanitizer: --tool racecheck"):
            self.assertIn(line, text)
        self.assertEqual(text.count("\npassed: "), len(titles))

    def test_of_a_bundle_the_programs_themselves_are_run(self):
        built = self.folder / "built"
        (built / "programs").mkdir()
        for name in ("host/mho", "tests/cuda_contract_test", "bench/fused_bench"):
            shutil.move(built / name, built / "programs")
            (built / name).write_text("#!/bin/sh\nexit 1\n")
            (built / name).chmod(0o755)
        self.assertEqual(self.check("--only", "f"), 0)  # what it finds, contract of, fused
        self.assertIn("3 passed", self.out)

    def test_wrong_arguments_are_refused_before_anything_is_written(self):
        for options, why in ((["--frobnicate", "1"], "--frobnicate: no such option"), (["--seconds"], "--seconds takes a value"),
                             (["--seconds", "0"], "from 1"), (["--seconds", "10m"], "from 1"), (["--built", "/nowhere"], "/nowhere: no such folder"),
                             (["--built", str(ROOT)], "holds no host/mho"), (["--record", "/proc/none/record.md"], "--record FILE names another")):
            with self.subTest(options=options):
                self.assertEqual(self.check(*options), 2)
                self.assertIn(why, self.err)
                self.assertFalse(self.record.exists())

    def test_sections_that_are_not_there_are_no_pass(self):
        self.assertEqual(self.check("--only", "xyzzy"), 2)
        self.assertIn("--only xyzzy: no section", self.err)

    def test_without_a_gpu_it_says_what_it_needs(self):
        (self.folder / "bin/nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
        self.assertEqual(self.check(), 2)
        self.assertIn("shows no GPU here", self.err)
        self.assertFalse(self.record.exists())

    def test_where_mho_finds_no_gpu_nothing_else_runs(self):
        self.assertEqual(self.check(AUTO="cpu"), 1)
        self.assertIn("    auto      cpu\n\nFAILED: what it finds", self.out)  # the reason, not the verdict alone
        self.assertEqual(self.titles(), ["what it finds"])

    def test_chips_on_crossbars_are_equal_to_the_last_digit(self):
        self.assertEqual(self.check("--only", "digits on crossbars", CHIPS_CUDA=CHIPS.replace("0.25,", "0.2500000001,")), 1)
        self.assertIn("FAILED: chips equal the CPU's: digits on crossbars", self.out)
        self.assertIn("1 failed", self.out)

    def test_chips_at_parameter_level_are_as_near_as_sums_in_another_order_are(self):
        for name, chips, code in (("one image and a little loss", "0,0.1,0,0.902,1,0.12501,0\n0,0.1,1,0.8,0.99,0.25,0", 0),
                                  ("three images", "0,0.1,0,0.906,1,0.125,0\n0,0.1,1,0.8,0.99,0.25,0", 1),
                                  ("three images of five", "0,0.1,0,0.9,1,0.125,0\n0,0.1,1,0.8,0.984,0.25,0", 1),
                                  ("the loss", "0,0.1,0,0.9,1,0.125,0\n0,0.1,1,0.8,0.99,0.2502,0", 1),
                                  ("no number", "0,0.1,0,0.9,1,0.125,0\n0,0.1,1,0.8,0.99,nan,0", 1),
                                  ("another chip", "0,0.1,0,0.9,1,0.125,0\n0,0.1,2,0.8,0.99,0.25,0", 1),
                                  ("clipped cells", "0,0.1,0,0.9,1,0.125,1\n0,0.1,1,0.8,0.99,0.25,0", 1),
                                  ("a chip less", "0,0.1,0,0.9,1,0.125,0", 1),
                                  ("a chip more", CHIPS + "\n0,0.1,2,0.8,0.99,0.25,0", 1)):
            with self.subTest(name):
                self.assertEqual(self.check("--only", "near the CPU's: digits", CHIPS_CUDA=chips), code, self.record.read_text())

    def test_it_reads_what_mho_writes(self):
        (self.folder / "built/host/mho").write_text(f'''#!/bin/bash
            exec "{os.environ["MHO_BINARY"]}" "${{@/#cuda/cpu}}"''')  # of --backend cuda: the CPU's chips twice
        few = ("--set", "data.images=5", "--set", "monte_carlo.chips=2")
        self.assertEqual(self.check("--only", "CPU's: digits", *few), 0)
        self.assertIn("22 chips of 5 images: top-1 differs by 0 images at most", self.record.read_text())

    def test_a_suite_that_breaks_takes_no_other_along(self):
        self.assertEqual(self.check("--only", "contract of", BREAK="Second/Cases"), 1)
        text = self.record.read_text()
        self.assertLess(text.index("broken"), text.index("Third."))
        self.assertEqual(self.check("--only", "contract of", TESTS="0"), 1, "no test at all is no pass")

    def test_what_would_not_fit_is_skipped(self):
        self.assertEqual(self.check("--seconds", "15", "--only", "digits"), 0)
        self.assertEqual(self.check("--seconds", "15", "--only", "on crossbars"), 3)
        text = self.record.read_text()
        self.assertIn("## chips equal the CPU's: WRN-16-2 on crossbars: skipped\n\nIt takes 20 s or more, and of 15 s ", text)
        self.assertIn("2 passed, 0 failed, 0 stopped for time, 2 skipped", text)

    def test_what_overruns_is_stopped_at_half_of_all_time(self):
        self.assertEqual(self.check("--seconds", "6", "--only", "i", HANG="info"), 3)
        self.assertRegex(self.out, "STOPPED: what it finds, after [345] s")  # 3, and what it takes to stop one that refuses to
        self.assertIn("## images/s: digits on crossbars: skipped", self.out)
        self.assertIn("0 passed, 0 failed, 1 stopped for time, ", self.out)
        self.assertEqual(self.stand_ins(), [])

    def test_the_record_is_written_as_it_goes(self):
        for sign, code in ((signal.SIGTERM, 1), (signal.SIGKILL, -9)):
            with self.subTest(sign):
                self.record.unlink(missing_ok=True)
                process = self.started("--set", "monte_carlo.chips=2", HANG="Second/Cases")
                for _ in range(300):
                    if self.record.exists() and "    begun\n" in self.record.read_text():
                        break
                    time.sleep(0.1)
                else:
                    self.fail(self.record.read_text())
                text = self.record.read_text()
                self.assertIn("passed: what it finds", text)
                self.assertIn("3 tests from", text)
                self.assertTrue(text.endswith("    begun\n"), text)
                os.killpg(process.pid, sign)  # as timeout does, and a terminal
                self.assertEqual(process.wait(timeout=30), code)
                self.assertTrue(self.record.read_text().startswith(text))
                if sign == signal.SIGTERM:
                    for told in (self.record, self.folder / "out"):
                        self.assertRegex(told.read_text(), r"\nStopped from outside.\n\n1 passed, 0 failed, 0 stopped for time, 0 skipped, in \d+ s\n$")
                    self.assertEqual(self.stand_ins(), [])

    def test_sets_reach_every_sweep(self):
        mho = self.folder / "built/host/mho"
        mho.write_text(mho.read_text().replace("#!/bin/sh", '#!/bin/sh\necho "$*" >&2'))
        self.assertEqual(self.check("--only", "digits", "--set", "monte_carlo.chips=7"), 0)
        sweeps = re.findall("^ *sweep .*", self.record.read_text(), re.MULTILINE)
        self.assertEqual(len(sweeps), 8)
        self.assertTrue(all("--set monte_carlo.chips=7" in s for s in sweeps), sweeps)


class CudaLibraries(unittest.TestCase):
    """Libraries of names that no machine has, so that only the folders here can hold them."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.packages = self.folder / "a venv/lib/python3.99/site-packages"
        lt = self.library("nvidia/cu99/lib", "libcublasLt.so.99")
        blas = self.library("nvidia/cu99/lib", "libcublas.so.99", lt)
        dnn = self.library("nvidia/cudnn/lib", "libcudnn.so.98")
        self.plugin = self.library("../plugin", "libmho_cuda.so", blas, dnn)

    def library(self, where, name, *needs):
        file = self.packages / where / name
        file.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-shared", "-x", "c", "/dev/null", "-x", "none", "-o", file, f"-Wl,-soname,{name}", "-Wl,--no-as-needed",
                        "-Wl,--allow-shlib-undefined", *needs], check=True)
        return file

    def find(self, **more):
        command = f'source "{ROOT}/scripts/library_functions"; find_cuda_libraries "{self.plugin}"; echo "code $?"; ldd "{self.plugin}"'
        environment = {k: v for k, v in os.environ.items() if k not in ("LD_LIBRARY_PATH", "VIRTUAL_ENV")}
        return subprocess.run(["bash", "-c", command], env={**environment, **more}, capture_output=True, text=True, check=True).stdout

    def test_finds_those_of_a_virtual_environment(self):
        found = self.find(VIRTUAL_ENV=f"{self.folder}/a venv")
        self.assertIn("code 0\n", found)
        for name, where in (("libcublas.so.99", "cu99"), ("libcublasLt.so.99", "cu99"), ("libcudnn.so.98", "cudnn")):
            self.assertIn(f"{name}: {self.packages}/nvidia/{where}/lib/{name}\n", found)
        self.assertNotIn("not found", found)

    def test_finds_those_of_whatever_python_there_is(self):
        python = self.folder / "bin/python3"
        python.parent.mkdir()
        python.write_text(f'#!/bin/sh\necho "{self.packages}"\n')
        python.chmod(0o755)
        self.assertIn("code 0\n", self.find(PATH=f"{python.parent}:{os.environ['PATH']}"))

    def test_says_what_is_missing_and_how_to_get_it(self):
        shutil.rmtree(self.packages / "nvidia/cudnn")
        found = self.find(VIRTUAL_ENV=f"{self.folder}/a venv")
        self.assertIn("code 1\n", found)
        self.assertIn("libcublas.so.99: /", found)
        self.assertRegex(found, "libcudnn.so.98: missing.* nvidia-cudnn-cu13 .*LD_LIBRARY_PATH")


class Bundle(unittest.TestCase):
    def test_a_program_unpacks_the_libraries_and_starts_from_anywhere(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name) / "a bundle"
            for part in ("host", "programs", "scripts", "lib/fallback"):
                (folder / part).mkdir(parents=True)
            shutil.copy(ROOT / "scripts/in_bundle", folder / "host/mho")
            shutil.copy(ROOT / "scripts/library_functions", folder / "scripts")
            subprocess.run(["cc", "-shared", "-x", "c", "-", "-o", folder / "lib/libpacked.so", "-Wl,-soname,libpacked.so"],
                           input="int packed(void) { return 7; }", text=True, check=True)
            subprocess.run(["cc", "-x", "c", "-", "-o", folder / "programs/mho", "-x", "none", folder / "lib/libpacked.so",
                            "-Wl,-rpath,$ORIGIN/../lib"],
                           input="int packed(void); int main(int n, char** a) { return packed() + n; }", text=True, check=True)
            subprocess.run(["gzip", folder / "lib/libpacked.so"], check=True)
            self.assertEqual(subprocess.run([folder / "programs/mho"], capture_output=True).returncode, 127)
            for _ in range(2):  # packed, and unpacked
                self.assertEqual(subprocess.run([folder / "host/mho", "x", "y z"], cwd="/").returncode, 7 + 3)
            self.assertEqual(sorted(f.name for f in (folder / "lib").iterdir()), ["fallback", "libpacked.so", "libpacked.so.gz"])

    def test_wrong_arguments_are_refused_before_anything_is_built(self):
        with tempfile.TemporaryDirectory() as used:
            pathlib.Path(used, "file").touch()
            for options, why in (([], "which folder?"), (["a", "b"], "one folder"), (["--frobnicate"], "no such option"),
                                 (["a", "--architectures"], "takes a list"), (["a", "--architectures", "hopper"], "90-real"), ([used], "holds something")):
                with self.subTest(options=options):
                    done = subprocess.run([ROOT / "scripts/gpu_bundle", *options], capture_output=True, text=True)
                    self.assertEqual(done.returncode, 2)
                    self.assertIn(why, done.stderr)


if __name__ == "__main__":
    unittest.main()
