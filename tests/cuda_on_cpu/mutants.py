"""The mutants of every room: tests/mutants."""

import pathlib
import runpy

runpy.run_path(str(pathlib.Path(__file__).resolve().parents[1] / "mutants"), run_name="__main__")
