"""docs/benchmarks.md: the first part is run.py's, each section behind it one program's."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/benchmarks.md"


def write_section(heading, lines):
    """Puts the lines under `## heading`, in place of what stood there, else at the end."""
    section = "\n".join([f"## {heading}", "", *lines]).rstrip() + "\n"
    parts = re.split(r"^(?=## )", PAGE.read_text(), flags=re.M)
    at = next((i for i, part in enumerate(parts) if part.startswith(f"## {heading}\n")), len(parts))
    parts[at:at + 1] = [section]
    PAGE.write_text("\n".join(part.rstrip() + "\n" for part in parts))


def write_first_part(text):
    """All before the first section."""
    sections = re.split(r"^(?=## )", PAGE.read_text(), flags=re.M)[1:] if PAGE.exists() else []
    PAGE.write_text("\n".join(part.rstrip() + "\n" for part in [text, *sections]))
