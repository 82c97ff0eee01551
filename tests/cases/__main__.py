"""`python -m tests.cases record [NAME…]`: write anew what is seen in the golden files of this folder."""

import os
import sys
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # as the suite has it
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from test_cases import NAMES, record

command, *names = sys.argv[1:] or ["?"]
unknown = sorted({*names} - {*NAMES})
if command != "record" or unknown:
    sys.exit(f"no case is called {' '.join(unknown)}" if unknown else __doc__)
print(f"{record(names)} of {len(names or NAMES)} files changed")
