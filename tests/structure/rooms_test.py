"""Rooms: each folder of kernels/, models/ and host/ may include what stands in its line of ROOMS, and nothing else. The table says which way
the arrows run; it stands here alone. To add a room: a line, below all rooms that it uses."""

import os
import pathlib
import re
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("MHO_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))

PHYSICS = {"kernels/base", "kernels/devices", "kernels/adcs", "kernels/crossbar", "kernels/steps"}
BACKEND = PHYSICS | {"kernels"}
NETWORK = {"models", "models/onnx", "models/data"}

ROOMS = {
    "kernels/base": set(),
    "kernels/devices": {"kernels/base"},
    "kernels/adcs": {"kernels/base"},
    "kernels/crossbar": {"kernels/base", "kernels/devices", "kernels/adcs"},
    "kernels/steps": {"kernels/base"},
    "kernels": PHYSICS,
    "kernels/cpu": BACKEND,
    "kernels/cuda": BACKEND,
    "models": {"kernels/base", "kernels/steps"},
    "models/onnx": {"kernels/base", "kernels/steps", "models"},
    "models/data": {"kernels/base", "models"},
    "host/util": {"kernels/base", "models"},
    "host/statistics": set(),
    "host/config": BACKEND | {"models", "models/data", "host/statistics"},
    "host/chip": BACKEND | {"models", "host/config"},
    "host/results": {"kernels/base", "kernels/steps", "host/util", "host/statistics"},
    "host/run": BACKEND | NETWORK | {"host/util", "host/statistics", "host/config", "host/chip", "host/results"},
    "host/cli": BACKEND | NETWORK | {"host/util", "host/config", "host/results", "host/run"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"((?:kernels|models|host)/[^"]+)"', re.MULTILINE)


def sources(root):
    for top in ("kernels", "models", "host"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix in (".h", ".cc", ".cu"):
                yield file.relative_to(root)


def climbing(root):
    """Lines "FILE includes HEADER: ROOM may not use ROOM" for every arrow that is not in the table."""
    found = []
    for file in sources(root):
        room = str(file.parent)
        if room not in ROOMS:
            found.append(f"{file}: {room} is no room of tests/structure/rooms_test.py")
            continue
        for header in INCLUDE.findall((root / file).read_text()):
            used = str(pathlib.PurePosixPath(header).parent)
            if used != room and used not in ROOMS[room]:
                found.append(f"{file} includes {header}: {room} may not use {used}")
    return found


class Rooms(unittest.TestCase):
    def test_no_include_climbs(self):
        self.assertEqual([], climbing(ROOT))

    def test_the_table_runs_one_way(self):
        known = set()
        for room, used in ROOMS.items():
            self.assertLessEqual(used, known, f"{room} uses a room that does not stand above it")
            known.add(room)

    def test_every_room_is_there(self):
        missing = [room for room in ROOMS if not (ROOT / room).is_dir()]
        self.assertEqual([], missing)

    def test_what_climbs_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {
                "kernels/base/rng.h": "#include <cmath>\n",
                "kernels/cpu/a.cc": '#include "kernels/base/rng.h"\n#include "kernels/cuda/b.h"\n',
                "models/c.cc": '  #  include "host/run/d.h"\n',
                "host/attic/e.cc": "",
            }.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            self.assertEqual(
                ["kernels/cpu/a.cc includes kernels/cuda/b.h: kernels/cpu may not use kernels/cuda",
                 "models/c.cc includes host/run/d.h: models may not use host/run",
                 "host/attic/e.cc: host/attic is no room of tests/structure/rooms_test.py"],
                climbing(root))


if __name__ == "__main__":
    unittest.main()
