"""`python -m tests.cases record [NAME…]`: write anew what is seen in the golden files of this folder."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # as the suite has it
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from test_cases import FOLDER, NAMES, Case, same


def ways(old: Case, new: Case) -> Iterator[str]:
    """In what a case came out otherwise: titles, and exit codes with what they were."""
    for before, now in zip(old.steps, new.steps, strict=True):
        gone, came = ([one for one in a.seen if one not in b.seen] for a, b in ((before, now), (now, before)))
        codes = [next((title for title, _ in side if title.startswith("exit ")), "") for side in (gone, came)]
        yield from [" → ".join(codes)] if all(codes) else []
        yield from {title for title, _ in gone + came if not title.startswith("exit ")}


command, *names = sys.argv[1:] or ["?"]
unknown = sorted({*names} - {*NAMES})
if command != "record" or unknown:
    sys.exit(f"no case is called {' '.join(unknown)}" if unknown else __doc__)
changed, counts = 0, Counter[str]()
for name in names or NAMES:
    path = FOLDER / f"{name}.txt"
    text = path.read_text(encoding="utf-8")
    old = Case.read(text)
    new = old.run()
    if not same(text, str(new)):
        path.write_text(str(new), encoding="utf-8")
        changed += 1
        counts.update({*ways(old, new)})
said = "".join(f"; {way} in {count}" for way, count in counts.most_common())
print(f"{changed} of {len(names or NAMES)} files changed{said}")
