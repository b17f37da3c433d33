"""scripts/soak, a few times: runs ended at random moments lose no chip and reach the same end."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(os.environ["MHO_SOURCE_DIR"])
sys.exit(subprocess.run([sys.executable, ROOT / "scripts/soak", "10", "--mho", os.environ["MHO_BINARY"]]).returncode)
