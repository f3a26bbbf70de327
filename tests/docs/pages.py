"""The pages of the documentation, and what a reader may copy from them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
WEIGHTS = ROOT / "sdk" / "weights" / "README.md"
SITE = sorted((ROOT / "docs").rglob("*.md"))
LANGUAGES = {"python", "shell", "text", "yaml"}
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_COMMAND = re.compile(
    r"(?:[A-Z_]+=\w+ )?(?:time )?(adaptpose-\w+|python -m \w|python benchmarks/|make \w|pip install \S)"
)


@dataclass(frozen=True)
class Snippet:
    """A block of code or one command.

    Attributes:
        page: Relative to the repository.
        line: Where it begins, from 1.
        language: Of the fence; `shell` for a command, `inline` for one in the running text, which may be cut short.
        text: A command has its line continuations joined, its comment and the brackets of optional words removed.
    """

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Snippet]:
    """All fenced blocks."""
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Snippet(str(page.relative_to(ROOT)), line, match[1], match[2])


def commands(page: Path) -> Iterator[Snippet]:
    """All commands, in blocks and in the running text."""
    for block in blocks(page):
        if block.language == "shell":
            for line in block.text.replace("\\\n", " ").splitlines():
                if words := shlex.split(line, comments=True):
                    yield Snippet(block.page, block.line, "shell", shlex.join(words))
    text = _FENCE.sub(lambda match: "\n" * match[0].count("\n"), page.read_text(encoding="utf-8"))
    for match in _CODE.finditer(text):
        if _COMMAND.match(match[1]):
            line = text.count("\n", 0, match.start()) + 1
            text_only = match[1] if match[1].startswith("pip") else re.sub(r"[][]", "", match[1])
            yield Snippet(str(page.relative_to(ROOT)), line, "inline", text_only)


def inline_code(page: Path) -> Iterator[tuple[int, str]]:
    """Line and text of everything between single backquotes, and of the lines of shell blocks."""
    text = page.read_text(encoding="utf-8")
    for match in _CODE.finditer(_FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)):
        yield text.count("\n", 0, match.start()) + 1, match[1]
    for command in commands(page):
        yield command.line, command.text
