"""`artifacts diff`: two text artifacts as a unified diff."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from difflib import unified_diff

from runtower.acts.run_files import RunFiles
from runtower.acts.text_files import ComparedTexts, artifact, compared, is_rest_same
from runtower.commands.listing import resolved, write
from runtower.commands.opening import Asked, context, opened
from runtower.domain.errors import Different, Invalid
from runtower.present.spans import inert


def print_artifact_diff(asked: Asked, texts: Sequence[str], where: str, form: str) -> None:
    """Print how the second differs from the first, each RUN:PATH, the second also RUN. Raises Different where it does,
    TowerError: Invalid for a file that is no text."""
    first, second = _parted(texts[0]), _parted(texts[1])
    if not first[1]:
        raise Invalid(f"'{texts[0]}' names no file.", "Write RUN:PATH; runtower artifacts RUN lists them.")
    found, names = asyncio.run(_compare(asked, first, (second[0], second[1] or first[1]), where))
    if found.note:
        sys.stderr.write(f"runtower: {inert(found.note)}\n")
    if form == "json":
        write([_json(found, names)])
    else:
        write(_shown(_unified(found, names)))
    if not found.is_same:
        raise Different(found.diff.summary())


def _parted(text: str) -> tuple[str, str]:
    """The run and the path; a run's own name may hold colons."""
    run, colon, path = text.rpartition(":")
    return (run, path) if colon and run and not run.endswith("@best") else (text, "")


async def _compare(
    asked: Asked, first: tuple[str, str], second: tuple[str, str], where: str
) -> tuple[ComparedTexts, tuple[str, str]]:
    work = context(asked)
    async with opened(work, asked.patience) as tower:
        rows = [resolved(tower.catalogue, run, where, work.settings.metrics) for run, _ in (first, second)]
        files = [RunFiles(tower, row) for row in rows]
        sides = (files[0], first[1]), (files[1], second[1])
        found = await compared(*(artifact(*side) for side in sides))
        if found.is_same and not await is_rest_same(found, *sides):
            raise Different(f"Behind what is compared line by line ({found.note}) the two differ.")
    return found, (files[0].run_id, files[1].run_id)


def _unified(found: ComparedTexts, run_ids: tuple[str, str]) -> Iterator[str]:
    before, after = (f"{run_id}:{one.path}" for run_id, one in zip(run_ids, (found.left, found.right), strict=True))
    yield from unified_diff(found.left.lines, found.right.lines, before, after, lineterm="")


def _shown(lines: Iterator[str]) -> Iterator[str]:
    """For a terminal without what would do something there; as it is for a file or another program."""
    plain = sys.stdout.isatty()
    for line in lines:
        yield f"{inert(line.expandtabs(4)) if plain else line}\n"


def _json(found: ComparedTexts, run_ids: tuple[str, str]) -> str:
    sides = [
        {"run_id": run_id, "path": one.path, "size": one.size, "compared": one.cut or None}
        for run_id, one in zip(run_ids, (found.left, found.right), strict=True)
    ]
    record = {"a": sides[0], "b": sides[1], "same": found.is_same, **found.diff.counts}
    record["diff"] = list(_unified(found, run_ids))
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"
