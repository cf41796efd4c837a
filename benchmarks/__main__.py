"""``python -m benchmarks [GROUP ...]``: measure, and print one table."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from benchmarks.figures import Row, as_object, markdown
from benchmarks.machine import machine, versions
from benchmarks.process import CommandFailedError
from benchmarks.rows import GROUPS, NEED_MODEL, Bench
from rag_geo.errors import ModelError, RagGeoError
from rag_geo.session import Edges

ROOT = Path(__file__).parents[1]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("groups", nargs=-1, type=click.Choice(list(GROUPS)), metavar="[GROUP]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the table.")
@click.option("--model", metavar="NAME|PATH", help="Another model than that of the settings.")
@click.option("--trust-model", is_flag=True, default=None, help="Use the model file whatever its hash.")
@click.option("--asked", type=click.IntRange(1), default=10, show_default=True, help="Questions answered in full.")
@click.option("--repeat", type=click.IntRange(1), default=5, show_default=True, help="Cold starts of `ask`.")
@click.option("--windows", type=click.IntRange(5), default=2000, show_default=True, help="Windows embedded.")
def main(groups: Sequence[str], as_json: bool, asked: int, repeat: int, windows: int, **flags: object) -> None:
    """Measure each GROUP (default: all) and print one table: memory, cold, index, reading, search, evidence, question.

    Ours and its reference are measured by turns. Every figure is a median, in brackets the 5th and 95th percentile; a
    ratio is ours over the reference, the median over the pairs. All of it takes about ten minutes.

    The chat is measured by `python -m benchmarks.chat_page` and `python -m benchmarks.chat_load`.
    """
    os.chdir(ROOT)
    settings = Edges(dict(os.environ)).settings(flags)  # noqa: TID251 - an edge like the command line
    about: dict[str, object] = {
        **machine(),
        "model": settings.model,
        "embedder": settings.embedder,
        "versions": versions(),
    }
    with tempfile.TemporaryDirectory(prefix="rag-geo-bench-") as name:
        folder = Path(name)
        bench = Bench(
            settings=replace(settings, index=folder / "index"),
            corpus=ROOT / "corpus",
            questions=_questions(ROOT / "evals" / "dev.jsonl"),
            folder=folder,
            repeat=repeat,
            asked=asked,
            windows=windows,
        )
        try:
            rows = _measure(bench, [group for group in GROUPS if group in groups or not groups])
        except RagGeoError as error:
            raise _said(error) from error
        except CommandFailedError as error:
            raise click.ClickException(str(error)) from error
        finally:
            bench.close()
    about["load_after"] = machine()["load"]
    if as_json:
        click.echo(json.dumps({**about, "rows": [as_object(row) for row in rows]}, indent=2))
    else:
        click.echo(_page(about, rows))


def _said(error: RagGeoError) -> click.ClickException:
    """What cannot be measured, and the command that mends it."""
    hint = "make models" if isinstance(error, ModelError) else error.hint
    return click.ClickException(f"{error}\nhint: {hint}" if hint else str(error))


def _measure(bench: Bench, groups: Sequence[str]) -> list[Row]:
    """The rows of the groups, each said on standard error when it is there."""
    if NEED_MODEL.intersection(groups):
        click.echo(f"model: {bench.model}", err=True)
    rows = []
    for group in groups:
        click.echo(f"measuring {group} …", err=True)
        for row in GROUPS[group](bench):
            rows.append(row)
            click.echo(f"  {row.what}: {row.ours.value:.3g} {row.unit}, ratio {row.ratio.value:.2f}", err=True)
    return rows


def _questions(path: Path) -> list[str]:
    return [json.loads(line)["question"] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _page(about: Mapping[str, object], rows: Sequence[Row]) -> str:
    notes = [f"{row.group}: {row.what}: {row.note}" for row in rows if row.note]
    facts = [f"{name}: {value}" for name, value in about.items() if name != "versions"]
    packages = ", ".join(f"{name} {number}" for name, number in versions().items())
    return "\n".join([markdown(rows), *notes, *facts, packages])


if __name__ == "__main__":
    main()
