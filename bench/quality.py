"""How right the demonstration model's replies are under every way of decoding faster: the table of docs/quality.md.

Asks held-out questions of demo/evaluation through a cluster of its own per setting, short and long replies apart, one
question at a time. Run from the repository's root: `python bench/quality.py [--limit 20] [--write]`.
Needs nothing but Python.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
EVALUATION = ROOT / "demo" / "evaluation"
LONG = ("description", "list", "reasoning")
_BEGIN, _END = "<!-- table: begin -->", "<!-- table: end -->"


@dataclass(frozen=True)
class Setting:
    """One row: what it is called, and the options of `./lladav eval` that make it."""

    group: str
    name: str
    options: tuple[str, ...] = ()


SETTINGS = (
    Setting("steps", "as many as positions (exact)"),
    Setting("steps", "half", ("--steps-share", "1/2")),
    Setting("steps", "a quarter", ("--steps-share", "1/4")),
    Setting("steps", "an eighth", ("--steps-share", "1/8")),
    Setting("remasking", "random", ("--remasking", "random", "--seed", "1")),
    Setting(
        "remasking", "random, a quarter of the steps", ("--remasking", "random", "--seed", "1", "--steps-share", "1/4")
    ),
    Setting("factor", "0.5", ("--strategy", "factor", "--factor", "0.5")),
    Setting("factor", "1", ("--strategy", "factor", "--factor", "1")),
    Setting("factor", "2", ("--strategy", "factor", "--factor", "2")),
    Setting("threshold", "0.95", ("--strategy", "threshold", "--threshold", "0.95")),
    Setting("threshold", "0.8", ("--strategy", "threshold", "--threshold", "0.8")),
    Setting("threshold", "0.5", ("--strategy", "threshold", "--threshold", "0.5")),
    Setting("cache", "prefix, refresh 2", ("--cache", "prefix", "--refresh-interval", "2")),
    Setting("cache", "prefix, refresh 4", ("--cache", "prefix", "--refresh-interval", "4")),
    Setting("cache", "prefix, refresh 32", ("--cache", "prefix", "--refresh-interval", "32")),
    Setting("cache", "dual, refresh 4", ("--cache", "dual", "--refresh-interval", "4")),
    Setting(
        "cache", "interval 25 / 7 / 0.25",
        ("--cache", "interval", "--prompt-interval", "25", "--gen-interval", "7", "--transfer-ratio", "0.25"),
    ),
    Setting("block length", "half of the reply", ("--block-share", "1/2")),
    Setting("block length", "a quarter", ("--block-share", "1/4")),
    Setting("block length", "an eighth", ("--block-share", "1/8")),
    Setting("weights", "8 bits", ("--set", "denoiser.precision=int8")),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=20, help="short questions of each kind (20)")
    parser.add_argument("--long-limit", type=int, default=61, help="long questions of each kind (61: all)")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--only", choices=sorted({setting.group for setting in SETTINGS}), help="rows of one group")
    chosen.add_argument("--write", action="store_true", help="put the table into docs/quality.md")
    arguments = parser.parse_args()
    kinds = {json.loads(line)["kind"] for line in (EVALUATION / "questions.jsonl").open(encoding="utf-8")}
    short = [kind for kind in sorted(kinds) if kind not in LONG]
    rows = []
    for setting in SETTINGS:
        if arguments.only in (None, setting.group):
            fixed = (*setting.options, "--at-once", "1")
            found = [
                asked(("--only", ",".join(short), "--limit", str(arguments.limit), *fixed)),
                asked(("--only", ",".join(LONG), "--limit", str(arguments.long_limit), *fixed)),
            ]
            rows.append(row(setting, found))
            print(rows[-1], flush=True)
    if arguments.write:
        write([asked_of(found), "", *HEAD, *rows])


def asked(options: tuple[str, ...]) -> dict[str, Any]:
    """One run of `./lladav eval --embedded --json`; exits with what it said if it fails."""
    command = [str(ROOT / "lladav"), "eval", str(EVALUATION), "--embedded", "--json", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


HEAD = (
    "| | setting | short: accuracy | 95 % | seconds | forwards | long: accuracy | 95 % | seconds | forwards |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


def row(setting: Setting, found: list[dict[str, Any]]) -> str:
    """One line of the table; seconds and forwards are means per question."""
    cells = [setting.group, setting.name]
    for result in found:
        low, high = result["interval"]["overall"]
        cells += [
            f"{100 * result['accuracy']['overall']:.1f} %",
            f"{100 * low:.1f} to {100 * high:.1f}",
            f"{result['mean_seconds']:.3f}",
            f"{result['mean_forwards']:.1f}",
        ]
    return f"| {' | '.join(cells)} |"


def asked_of(found: list[dict[str, Any]]) -> str:
    """When, and of how many questions, each row was measured."""
    short, long = (result["questions"] for result in found)
    return f"Measured on {datetime.now(UTC):%d %B %Y}; each row asks the same {short} short and {long} long questions."


def write(lines: list[str]) -> None:
    """Puts the lines between the marks of docs/quality.md."""
    page = ROOT / "docs" / "quality.md"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    _, after = rest.split(_END)
    table = "\n".join(lines)
    page.write_text(f"{before}{_BEGIN}\n{table}\n{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
