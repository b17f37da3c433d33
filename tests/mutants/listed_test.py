"""Every mutant of tests/mutants says where it is: its text stands in its file, and makes another one. Mutants themselves take hours, and run by
hand."""

import importlib.util
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))
spec = importlib.util.spec_from_file_location("mutants", HERE / "__main__.py")
mutants = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mutants)


class Listed(unittest.TestCase):
    maxDiff = None

    def test_each_stands_in_its_file(self):
        gone = [f"{m.file}: {m.before!r} ({m.nth})" for m in mutants.MUTANTS
                if m.of((ROOT / m.file).read_text()) in (None, (ROOT / m.file).read_text())]
        self.assertEqual([], gone)

    def test_none_is_there_twice(self):
        seen = [(m.file, m.before, m.after, m.nth) for m in mutants.MUTANTS]
        self.assertEqual(len(seen), len(set(seen)))

    def test_each_has_tests(self):
        for m in mutants.MUTANTS:
            self.assertTrue(mutants.tests_of(m))


if __name__ == "__main__":
    unittest.main()
