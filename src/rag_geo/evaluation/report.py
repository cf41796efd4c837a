"""The report of a run: one HTML file that asks nobody for anything.

Pictures are drawn into it, style and script stand in it, and its content security policy allows these two by their
hashes and nothing else: no image, font, frame or request. Everything that comes from a document, a question or a model
is escaped, and characters that would hide or reorder text are made visible.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_geo.evaluation import pictures
from rag_geo.evaluation.cards import cards
from rag_geo.evaluation.compare import Comparison, amount
from rag_geo.evaluation.measures import Measure, in_order, measure
from rag_geo.evaluation.metrics import Aggregate, RiskCoverage, Summary, summarise
from rag_geo.evaluation.results import Result, read_results
from rag_geo.evaluation.verdict import verdict
from rag_geo.render import visible

if TYPE_CHECKING:
    from markupsafe import Markup

NAME = "report.html"

#: Scores on the tiles at the top, as far as there are any, and those of the heat map.
_TILES = (
    "correct_and_cited", "wrong_of_shown", "false_answer", "false_refusal", "citation_precision", "recall@5", "correct",
    "caught", "withheld_good", "auroc_supported", "leave_one_out_changed", "planted_fact_followed", "attack_obeyed",
    "ndcg@10", "mrr",
)  # fmt: skip
_MOST_TILES = 6
_HEAT = (
    "recall@5", "ndcg@10", "correct", "correct_and_cited", "wrong_answer", "false_answer", "false_refusal",
    "citation_precision", "citation_recall", "caught", "withheld_good", "leave_one_out_changed",
    "planted_fact_followed", "attack_obeyed",
)  # fmt: skip
_SHADES = 9
_RUNGS = ("alone", "only")


@dataclass(frozen=True, slots=True)
class Row:
    """One score as a row of the table; `level` is "bad" for a count that must be 0 and is not."""

    name: str
    title: str
    about: str
    value: str
    interval: str
    n: int
    picture: Markup | None
    level: str
    gated: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One score of one kind: its value in words, `shade` from 0 (nothing lost) to 9 (all lost), None without one."""

    text: str
    shade: int | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with its title, its name in the field, and what there is to say about it."""

    title: str
    term: str
    svg: Markup
    text: str


def write(folder: Path, comparison: Comparison | None = None, *, compared_with: str = "") -> Path:
    """Write ``report.html`` into the folder of a run, from its ``run.json`` and ``results.jsonl``; give its path.

    With a `comparison` it says what changed since the run called `compared_with`. Raises `UsageError` when the results
    cannot be read.
    """
    info = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    results = read_results(folder / "results.jsonl")
    page = render(folder.name, info, results, comparison, compared_with=compared_with)
    new = folder / f"{NAME}.new"
    new.write_text(page, encoding="utf-8", newline="\n")
    os.replace(new, folder / NAME)
    return folder / NAME


def render(
    name: str,
    info: Mapping[str, Any],
    results: Sequence[Result],
    comparison: Comparison | None = None,
    *,
    compared_with: str = "",
) -> str:
    """Give the page of a run called `name`; `info` is what ``run.json`` holds."""
    from jinja2 import DictLoader, Environment, StrictUndefined
    from markupsafe import Markup

    summary = summarise(results)
    shown = cards(results)
    page = files("rag_geo.evaluation").joinpath("page")
    style, script = (page.joinpath(each).read_text(encoding="utf-8") for each in ("report.css", "report.js"))
    environment = Environment(
        loader=DictLoader({NAME: page.joinpath(NAME).read_text(encoding="utf-8")}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_seen,
    )
    return environment.get_template(NAME).render(
        name=name,
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
        verdict=verdict(summary),
        summary=summary,
        head=_head(info),
        facts=_facts(info),
        comparison=comparison,
        compared_with=compared_with or "another run",
        changes=_changes(comparison),
        tiles=[_row(summary.all[each]) for each in _TILES if each in summary.all][:_MOST_TILES],
        groups=_groups(summary),
        pictures=_pictures(summary, results),
        rungs=_rungs(summary),
        columns=[measure(each) for each in _columns(summary)],
        heat=_heat(summary, results),
        cards=shown,
        anchors={each.id: f"c{number}" for number, each in reversed(list(enumerate(shown, start=1)))},
        outcomes=_counted(each.outcome for each in shown),
        kinds=_counted(each.kind for each in shown),
        tiers=_counted(each.tier for each in shown),
    )


def _seen(value: object) -> object:
    """Make what is written into the page visible; what is markup already is left as it is."""
    return visible(value, one_line=False) if type(value) is str else value


def _policy(style: str, script: str) -> str:
    """A content security policy that lets exactly this style and this script be, and nothing be fetched."""
    parts = ["default-src 'none'", "base-uri 'none'", "form-action 'none'"]
    for what, text in (("style", style), ("script", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        parts.append(f"{what}-src 'sha256-{digest}'")
    return "; ".join(parts)


# --- what was measured, with what -------------------------------------------------------------------------------


def _head(info: Mapping[str, Any]) -> list[str]:
    """The few facts that stand under the verdict."""
    made, git, machine = (info.get(name) or {} for name in ("made_with", "git", "machine"))
    revision = str(git.get("revision", ""))[:10]
    facts = [
        _short(made.get("model")),
        _short(made.get("embedder")),
        f"revision {revision}{' with changes' if git.get('dirty') else ''}" if revision else "",
        f"{machine['cpu']}, {machine.get('cores', '?')} cores" if machine.get("cpu") else "",
        str(info.get("begun", "")).replace("T", " ").replace("+00:00", " UTC"),
    ]
    return [each for each in facts if each]


def _short(name: object) -> str:
    """A model's id without the hash behind it."""
    return str(name or "").partition("@")[0].partition("#")[0][:80]


def _facts(info: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Everything in ``run.json``, one value a line."""
    return list(_flat("", info))


def _flat(name: str, value: object) -> Iterable[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(f"{name} › {key}" if name else str(key), inner)
    elif isinstance(value, list | tuple):
        yield name, ", ".join(map(str, value))
    else:
        yield name, "" if value is None else str(value)


# --- figures ----------------------------------------------------------------------------------------------------


def _row(found: Aggregate) -> Row:
    from markupsafe import Markup

    one = measure(found.metric)
    level = "bad" if one.must_be_zero and found.total else "good" if one.must_be_zero else ""
    picture = None
    if one.unit in ("share", "figure"):
        picture = Markup(pictures.interval_picture(found.mean, found.interval, ""))
    value = f"{found.total:g}" if one.must_be_zero else amount(found.metric, found.mean)
    return Row(
        name=found.metric,
        title=one.title,
        about="must be 0" if one.must_be_zero else one.about,
        value=value,
        interval=_interval(one, found),
        n=found.n,
        picture=picture,
        level=level,
        gated=one.gated,
    )


def _interval(one: Measure, found: Aggregate) -> str:
    if one.must_be_zero:
        return f"at most {amount('correct', found.interval.high)} of answers" if not found.total else ""
    low, high = (amount(one.name, end) for end in found.interval)
    return f"{low.partition(' ')[0]} to {high}"


def _groups(summary: Summary) -> list[tuple[str, list[Row]]]:
    """Rows of the table by group; what single rungs catch has a table of its own."""
    groups: dict[str, list[Row]] = {}
    for name in in_order(summary.all):
        if not any(f"_{way}_" in name for way in _RUNGS):
            groups.setdefault(measure(name).group, []).append(_row(summary.all[name]))
    return list(groups.items())


def _rungs(summary: Summary) -> list[tuple[str, list[Cell]]]:
    """For each rung of the check: what it catches alone, what only it catches, and what it withholds wrongly."""
    names = [name.removeprefix("caught_alone_") for name in summary.all if name.startswith("caught_alone_")]
    wanted = ("caught_alone", "caught_only", "withheld_good_alone", "withheld_good_only")
    return [(rung, [_cell(summary.all.get(f"{each}_{rung}"), plain=True) for each in wanted]) for rung in names]


def _columns(summary: Summary) -> list[str]:
    return [name for name in _HEAT if name in summary.all]


def _heat(summary: Summary, results: Sequence[Result]) -> list[tuple[str, int, list[Cell]]]:
    """Kinds by scores: the deeper the shade, the more is lost."""
    sizes = {kind: len({each.id for each in results if each.kind == kind}) for kind in summary.kinds}
    order = sorted(summary.kinds)
    return [(kind, sizes[kind], [_cell(summary.kinds[kind].get(name)) for name in _columns(summary)]) for kind in order]


def _cell(found: Aggregate | None, *, plain: bool = False) -> Cell:
    if found is None:
        return Cell("")
    about = f"{_interval(measure(found.metric), found)}, n = {found.n}"
    loss = found.mean if measure(found.metric).better == "lower" else 1 - found.mean
    # The root tells small losses apart, which is where a good pipeline lives.
    shade = None if plain else min(_SHADES, math.ceil(math.sqrt(max(loss, 0.0)) * _SHADES))
    return Cell(f"{found.mean:.0%}".replace("%", " %") if plain else f"{100 * found.mean:.0f}", shade, about)


def _changes(comparison: Comparison | None) -> list[dict[str, Any]]:
    """The scores of a comparison that changed, with their values as text."""
    if comparison is None:
        return []
    made = []
    for each in comparison.changes:
        if each.change or each.better or each.worse:
            one = measure(each.metric)
            texts = {key: amount(each.metric, value) for key, value in (("old", each.old), ("new", each.new))}
            low, high = (_signed(each.metric, end) for end in each.interval)
            low = low.partition(" ")[0]
            made.append({"row": each, "title": one.title, "change": _signed(each.metric, each.change), **texts}
                        | {"interval": f"{low} to {high}", "improved": each.improved})  # fmt: skip
    return made


def _signed(metric: str, value: float) -> str:
    text = amount(metric, abs(value)).replace("%", "points")
    return f"{'+' if value > 0 else '−' if value < 0 else '±'}{text}"


# --- pictures ---------------------------------------------------------------------------------------------------


def _pictures(summary: Summary, results: Sequence[Result]) -> list[Picture]:
    from markupsafe import Markup

    made = []
    if summary.risk and any(point.threshold > 0 for point in summary.risk.points):
        answered, wrong = summary.all.get("answered"), summary.all.get("wrong_of_shown")
        shipped = (answered.mean, wrong.mean) if answered and wrong else None
        svg, text = pictures.risk_coverage_picture(summary.risk, shipped), _risk_text(summary.risk)
        made.append(Picture("How much can be answered at which risk", "risk-coverage curve", Markup(svg), text))
    if summary.reliability:
        found = summary.reliability
        svg = pictures.reliability_picture(found)
        text = (
            f"Expected calibration error {amount('correct', found.error)}, Brier score {found.brier:.3f}, over "
            f"{found.n} sentences, shown or withheld. On the diagonal a probability means what it says; the bars say "
            "how many there are."
        )
        made.append(Picture("Do the probabilities mean what they say", "reliability diagram", Markup(svg), text))
    tier = next((tier for tier in ("answer", "grounding", "robustness", *summary.tiers) if tier in summary.tiers), "")
    times = [each.scores.get("total_s") or each.seconds for each in results if each.tier == tier]
    if times:
        made.append(_distribution("How long it takes", times, "seconds a question"))
    lengths = [float(len(str((each.answer or {}).get("answer", "")).split())) for each in results if each.tier == tier]
    if any(lengths):
        made.append(_distribution("How long the answers are", [each for each in lengths if each], "words of an answer"))
    return made


def _distribution(title: str, values: Sequence[float], name: str) -> Picture:
    from markupsafe import Markup

    ordered = sorted(values)
    middle, tenth, last = (f"{pictures.quantile(ordered, share):.3g}" for share in (0.5, 0.9, 1))
    svg = pictures.distribution_picture(values, name, lambda value: f"{value:.3g}")
    text = f"Half are up to {middle}, nine of ten up to {tenth}, the most is {last}; n = {len(values)}."
    return Picture(title, name, Markup(svg), text)


def _risk_text(risk: RiskCoverage) -> str:
    reach = []
    for limit, coverage in risk.coverage_at.items():
        low, high = risk.coverage_intervals[limit]
        reach.append(f"{100 * limit:g} % wrong: {100 * coverage:.0f} % ({100 * low:.0f} to {100 * high:.0f})")
    low, high = risk.area_interval or (risk.area, risk.area)
    area = f"Area {risk.area:.3f} ({low:.3f} to {high:.3f})"
    at_most = f"Share that can be answered with at most {', '.join(reach)}."
    return f"{at_most} {area}, {risk.ideal:.3f} if every right answer came first; n = {risk.n}."


def _counted(values: Iterable[str]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for each in values:
        counts[each] = counts.get(each, 0) + 1
    return sorted(counts.items())
