"""Draws docs/demo.svg from the real output of the demo (ANSI on standard input). Needs rich."""

import re
import sys

from rich.console import Console
from rich.text import Text

lines = sys.stdin.read().splitlines()
plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]


def section(start, stop):
    begin = next(i for i, line in enumerate(plain) if re.match(start, line))
    end = next((i for i in range(begin + 1, len(plain)) if re.match(stop, plain[i])), len(plain))
    return lines[begin:end]


# The names that changed are enough; the demo itself goes on to the messages.
attributes = section(r"One generation", r".*gen_ai\.entity\.input")
shown = lines[:2] + section(r"3  ", r"One generation") + attributes + [""] + section(r"✓", r"$^")
console = Console(record=True, width=100, file=open("/dev/null", "w"), force_terminal=True, color_system="truecolor")
for line in shown:
    console.print(Text.from_ansi(line), soft_wrap=True)
svg = console.export_svg(title="make demo")
# The fonts of the reader's machine, none from elsewhere.
svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.S).replace("Fira Code", "ui-monospace, Menlo, Consolas")
sys.stdout.write(re.sub(r"[ \t]+\n", "\n", svg))
