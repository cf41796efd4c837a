"""The command line. Results go to standard output, everything else to standard error.

Exit codes: 0 done · 1 a fault of the program · 2 usage, settings or folder · 3 done but for some files or lines ·
4 index · 5 model · 6 disk or memory · 130 Ctrl-C · 141 the reader of the output went away · 143 terminated.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import click

from rag_geo.errors import RagGeoError, UsageError
from rag_geo.process import CLOSED_PIPE, INTERRUPTED, run_process
from rag_geo.question import check_question
from rag_geo.render import (
    Line,
    answer_object,
    answer_terminal,
    curve_lines,
    error_text,
    hit_lines,
    hit_object,
    json_text,
    lines_text,
    table_lines,
    visible,
    visible_name,
)
from rag_geo.session import (
    SKIPPED,
    Edges,
    answer_each,
    answer_one,
    audit_index,
    build_index,
    calibrate,
    chat,
    check_receipts,
    evaluate,
    evaluate_mutants,
    evaluated_cases,
    evaluated_table,
    find,
    keep_baseline,
    leave_out,
    make_examples,
    model_object,
    open_index,
    pull_model,
    question_from,
    rebuild_from_texts,
    split_options,
    terminal_width,
    verify_model,
    watch_folder,
)

_Command = Callable[..., Any]
_EXISTING = click.Path(exists=True, path_type=Path)
_TIERS = ("retrieval", "answer", "grounding", "robustness")
_TIER_HELP = "What is measured; several are possible (default: retrieval and answer)."


def _index_option(command: _Command) -> _Command:
    text = "Folder of the index (default: index/default)."
    return click.option("--index", type=click.Path(path_type=Path), metavar="PATH", help=text)(command)


def _embedder_option(command: _Command) -> _Command:
    text = "Another embedder: the path of a sentence-transformers folder. Ask with the same, see rag-geo.toml."
    trust = "Use the embedder whatever the hashes of its files."
    command = click.option("--trust-model", is_flag=True, default=None, help=trust)(command)
    return click.option("--embedder", metavar="NAME|PATH", help=text)(command)


def _filter_options(command: _Command) -> _Command:
    for name, metavar, text in (
        ("--file", "GLOB", "Only files whose path matches, such as 'reports/*.pdf', or all in a folder or archive."),
        ("--author", "NAME", "Only documents by this author; part of the name will do."),
        ("--before", "DATE", "Only documents of this date or earlier: 2021, 2021-06 or 2021-06-20."),
        ("--after", "DATE", "Only documents of this date or later."),
    ):
        command = click.option(name, metavar=metavar, default="", help=text)(command)
    return command


def _model_options(command: _Command) -> _Command:
    trust = "Use the model file whatever its hash."
    command = click.option("--trust-model", is_flag=True, default=None, help=trust)(command)
    return click.option("--model", metavar="NAME|PATH", help="A model of `models list`, or a GGUF file.")(command)


def _json_option(command: _Command) -> _Command:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


class _Lines(click.File):
    """A file of lines, or "-"; that the process was started without standard input is the user's to mend."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """See `click.File.convert`."""
        if value == "-" and sys.stdin is None:
            self.fail("standard input is closed", param, ctx)
        return super().convert(value, param, ctx)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="rag-geo", prog_name="rag-geo")
def cli() -> None:
    """Answer questions from a folder of documents, each sentence proved by a paragraph. Nothing leaves this machine."""


@cli.command()
@click.argument("question", required=False)
@_json_option
@click.option("--jsonl", "batch", type=_Lines("rb"), metavar="FILE|-", help="A question a line, an object a line.")
@click.option("-v", "--verbose", is_flag=True, help="Show withheld sentences with the reason, and figures.")
@_index_option
@_model_options
@_filter_options
@click.pass_obj
def ask(
    edges: Edges, /, question: str | None, as_json: bool, batch: BinaryIO | None, verbose: bool, **options: object
) -> int:
    """Answer QUESTION; "-" reads it from standard input.

    Exit code 0 also when the documents do not say; 3 when a line of --jsonl could not be answered.
    """
    filters, flags = split_options(options)
    if batch is not None:
        if question is not None:
            raise click.UsageError("QUESTION and --jsonl exclude each other")
        return _print_each(answer_each(edges, batch, filters, edges.settings(flags)))
    wanted = question_from(question, lambda: sys.stdin)
    answer = answer_one(edges, wanted, filters, edges.settings(flags))
    if as_json:
        return _print_json(answer_object(answer))
    return _print(answer_terminal(answer, width=terminal_width(), color=edges.color(sys.stdout), verbose=verbose))


@cli.command()
@click.argument("query")
@click.option("--limit", type=click.IntRange(1, 100), metavar="N", help="How many paragraphs (default: 4).")
@_json_option
@_index_option
@_filter_options
@click.pass_obj
def search(edges: Edges, /, query: str, as_json: bool, **options: object) -> int:
    """Find the paragraphs nearest to QUERY, without a language model."""
    filters, flags = split_options(options)
    wanted = check_question(query)
    hits = find(edges, wanted, filters, edges.settings(flags))
    if as_json:
        return _print_json({"query": wanted, "hits": [hit_object(hit) for hit in hits]})
    return _print_lines(edges, hit_lines(hits)) if hits else _print("nothing found\n")


@cli.command("chat")
@click.option("--port", type=click.IntRange(0, 65535), default=7860, show_default=True, help="0 takes a free one.")
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Any other needs a password.")
@click.option("--password-file", type=_EXISTING, metavar="FILE", help="The password is its first line.")
@click.option("--name", "names", multiple=True, metavar="NAME", help="A host name this page goes by, besides.")
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@_index_option
@_model_options
@click.pass_obj
def chat_command(
    edges: Edges,
    /,
    port: int,
    host: str,
    password_file: Path | None,
    names: tuple[str, ...],
    opens: bool,
    **flags: object,
) -> int:
    """Open the chat: a page on this machine where every sentence opens its paragraph.

    Its URL is printed as soon as it can be reached. Ctrl-C ends it.
    """
    from rag_geo.chat.serve import Address, read_password

    password = read_password(password_file) if password_file else ""
    at = Address(host, port, password, names)
    chat(edges, at, edges.settings(flags), lambda url: click.echo(url), opens=opens)
    return 0


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--rebuild", is_flag=True, help="Read and embed everything anew; also for an index that is refused.")
@click.option("--purge", "purges", is_flag=True, help="Remove earlier generations, with their texts, as well.")
@click.option("--watch", "watches", is_flag=True, help="Keep up with the folder until Ctrl-C.")
@click.option("--examples", is_flag=True, help="Make the example questions of the chat as well, with the model.")
@_embedder_option
@_json_option
@_index_option
@click.pass_obj
def index(
    edges: Edges,
    /,
    folder: Path,
    rebuild: bool,
    purges: bool,
    watches: bool,
    examples: bool,
    as_json: bool,
    **flags: object,
) -> int:
    """Make the index hold what DIR holds now; only what changed is read and embedded.

    Exit code 3 when files were skipped: they are listed with the reason, all others are indexed. Empty files and files
    that you left out yourself (rag-geo leave-out) do not count. An update that was interrupted goes on where it was.
    """
    from rag_geo.corpus import EMPTY
    from rag_geo.index import LEFT_OUT, purge
    from rag_geo.overview import report_lines, report_object

    settings = edges.settings(flags)
    if watches:
        if rebuild or purges or examples:
            raise UsageError("--watch goes with none of --rebuild, --purge and --examples", hint="run them first")
        for each in watch_folder(edges, folder, settings):
            _print_json(report_object(each)) if as_json else _print_lines(edges, report_lines(each))
            sys.stdout.flush()
        return 0
    report = build_index(edges, folder, settings, rebuild=rebuild)
    if purges:
        freed = purge(settings.index)
        edges.terminal().note(f"removed what was there before: {freed / 1e6:.1f} MB")
    if not as_json:
        _print_lines(edges, report_lines(report))
    made = {"examples": make_examples(edges, settings)} if examples else {}
    if as_json:
        _print_json({**report_object(report), **made})
    elif examples:
        _print("".join(f"example: {visible(each)}\n" for each in made["examples"]) or "no example could be made\n")
    return SKIPPED if any(each.reason not in (LEFT_OUT, EMPTY) for each in report.skipped) else 0


@cli.command("rebuild")
@_embedder_option
@_json_option
@_index_option
@click.pass_obj
def rebuild_command(edges: Edges, /, as_json: bool, **flags: object) -> int:
    """Make the index anew from the texts in it, without the original files.

    It mends an index that is damaged, as far as its texts are whole, and embeds them with another embedder when asked
    to. Exit code 3 when texts were lost: they are listed, and the next "rag-geo index DIR" reads those files again.
    """
    from rag_geo.index.salvage import LOST, OLDER
    from rag_geo.overview import report_lines, report_object

    report = rebuild_from_texts(edges, edges.settings(flags))
    _print_json(report_object(report)) if as_json else _print_lines(edges, report_lines(report))
    return SKIPPED if any(each.reason in (LOST, OLDER) for each in report.skipped) else 0


@cli.command("leave-out")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--undo", is_flag=True, help="Take these files back.")
@_json_option
@_index_option
@click.pass_obj
def leave_out_command(edges: Edges, /, files: tuple[str, ...], undo: bool, as_json: bool, **flags: object) -> int:
    """Leave FILEs, named as in `rag-geo info`, out of the index from the next update on; without any, list them.

    The files themselves stay where they are.
    """
    left_out = leave_out(files, edges.settings(flags), undo=undo)
    if as_json:
        return _print_json({"left_out": left_out})
    _print("".join(f"{visible_name(each)}\n" for each in left_out) or "nothing is left out\n")
    return _print("this holds from the next update on: rag-geo index DIR\n") if files else 0


@cli.command()
@click.option("--file", metavar="FILE", help="Every paragraph of this file: number, offsets, kind, why not indexed.")
@_json_option
@_index_option
@click.pass_obj
def info(edges: Edges, /, file: str | None, as_json: bool, **flags: object) -> int:
    """Show what the index holds: documents, counts, what was skipped and why."""
    from rag_geo import overview

    found = open_index(edges.settings(flags))
    if file is None:
        return (
            _print_json(overview.index_object(found)) if as_json else _print_lines(edges, overview.index_lines(found))
        )
    document = overview.find_document(found, file)
    if as_json:
        return _print_json(overview.document_object(document))
    return _print_lines(edges, overview.document_lines(document))


@cli.command("audit")
@click.option(
    "--sample",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    metavar="N",
    help="Paragraphs that questions are made from, at even distances; 0 for none.",
)
@_json_option
@_index_option
@click.pass_obj
def audit_command(edges: Edges, /, sample: int, as_json: bool, **flags: object) -> int:
    """Say what is wrong with the documents, without a language model.

    Files that were not read, pages without text, paragraphs that no question finds, repetitions, and sentences that
    contradict each other. Exit code 0 whatever is found.
    """
    from rag_geo import inspection

    found = audit_index(edges, edges.settings(flags), sample)
    if as_json:
        return _print_json(inspection.audit_object(found))
    return _print_lines(edges, inspection.audit_lines(found))


@cli.command("verify")
@click.argument("receipt", metavar="RECEIPT", type=_Lines("rb"))
@_json_option
@_index_option
@click.pass_obj
def verify_command(edges: Edges, /, receipt: BinaryIO, as_json: bool, **flags: object) -> int:
    """Check whether each quote of RECEIPT still stands in the documents, without a model; "-" reads standard input.

    RECEIPT is what the page saved: the receipt of an answer, or a conversation. The documents are read as they are now,
    from the folder of the index that the chat was opened with. Exit code 3 when a quote moved, changed or is gone.
    """
    from rag_geo.chat.receipt import verified_lines, verified_object

    results, update = check_receipts(receipt, edges.settings(flags))
    if as_json:
        _print_json({"receipts": [verified_object(*each) for each in results]})
    else:
        _print_lines(edges, [line for each in results for line in verified_lines(*each, update)])
    return 0 if all(each.state == "there" for _, checked in results for each in checked) else SKIPPED


@cli.group("models")
def models_group() -> None:
    """List, fetch and check the models."""


@models_group.command("list")
@_json_option
@click.pass_obj
def models_list(edges: Edges, /, as_json: bool) -> int:
    """List the known models and what is there of them."""
    from rag_geo import models

    settings = edges.settings({})
    states = [models.model_state(spec, settings.cache) for spec in models.registry()]
    if as_json:
        return _print_json({"models": [model_object(each) for each in states]})
    rows = [
        (each.spec.name, each.spec.role, each.state, f"{each.spec.bytes / 1e6:,.0f} MB", each.spec.licence)
        for each in states
    ]
    return _print_lines(edges, table_lines(rows, styles=("strong",)))


@models_group.command("pull")
@click.argument("name", required=False)
@click.option("--from", "given", type=click.Path(path_type=Path), metavar="FILE", help="Copy this file instead.")
@click.pass_obj
def models_pull(edges: Edges, /, name: str | None, given: Path | None) -> int:
    """Fetch model NAME (default: the one in the settings), unless it is there; an interrupted fetch goes on."""
    settings = edges.settings({})
    file = pull_model(edges, name or settings.model, settings, given)
    return _print(f"{visible(file.name)} is ready: {visible_name(str(file.path))}\n")


@models_group.command("verify")
@click.argument("names", nargs=-1)
@click.pass_obj
def models_verify(edges: Edges, /, names: Sequence[str]) -> int:
    """Hash the files of models NAMES anew (default: model and embedder of the settings)."""
    settings = edges.settings({})
    for name in names or (settings.model, settings.embedder):
        file = verify_model(edges, name, settings)
        _print(f"ok  {visible(file.name)}  SHA-256 {file.sha256}  {visible_name(str(file.path))}\n")
    return 0


@cli.command()
@_json_option
@_index_option
@_model_options
@click.pass_obj
def doctor(edges: Edges, /, as_json: bool, **flags: object) -> int:
    """Run every part for real, each in a process of its own, and say what to do about what fails."""
    from rag_geo import doctor as checks

    findings = []
    for finding in edges.examine(edges.settings(flags)):
        findings.append(finding)
        if not as_json:
            _print(checks.finding_text(finding) + "\n")
    if as_json:
        _print_json({"findings": [asdict(each) for each in findings]})
    return checks.exit_code(findings)


@cli.command("calibrate")
@click.option(
    "--set",
    "sets",
    type=(click.Path(path_type=Path), click.Path(exists=True, path_type=Path)),
    multiple=True,
    required=True,
    metavar="INDEX QUESTIONS",
    help="An index and a file of questions about it (JSON lines); may be given several times.",
)
@click.option(
    "--observations",
    type=click.Path(path_type=Path),
    default=Path("evals/results/observations.jsonl"),
    metavar="FILE",
    help="Where the signals are kept; questions that are in there are not asked again.",
)
@_model_options
@click.pass_obj
def calibrate_command(edges: Edges, /, sets: Sequence[tuple[Path, Path]], observations: Path, **flags: object) -> int:
    """Fit the thresholds of the model on development questions, and show what each threshold buys."""
    fitted, path = calibrate(edges, sets, observations, edges.settings(flags))
    _print_lines(edges, curve_lines(fitted))
    return _print(f"the thresholds are kept in {visible_name(str(path))}\n")


_runs_option = click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=Path("evals/runs"),
    show_default=True,
    metavar="DIR",
    help="Where runs are kept.",
)
_split_option = click.option(
    "--split", type=click.Choice(["dev", "test"]), default=None, help="Only this half of the questions."
)
_questions_option = click.option(
    "--questions", type=_EXISTING, metavar="FILE", help="Questions, JSON lines (default: evals/questions.jsonl)."
)


@cli.group("eval", invoke_without_command=True)
@click.option("--tier", "tiers", multiple=True, type=click.Choice(_TIERS), help=_TIER_HELP)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="A sample of N questions, the kinds in balance.")
@click.option(
    "--kind", "kinds", multiple=True, metavar="KIND", help="Only questions of this kind; several are possible."
)
@_split_option
@click.option("--seed", type=int, default=0, show_default=True, help="Draws samples and made corruptions.")
@click.option("--no-documents", "closed", is_flag=True, help="Ask the model alone, to see what the documents add.")
@_questions_option
@click.option("--docs", type=_EXISTING, metavar="DIR|FILE", help="Other documents: a folder, or lines of JSON.")
@click.option(
    "--data", type=_EXISTING, metavar="FILE", help="Sentences with their sources, for the grounding tier alone."
)
@click.option("--resume", metavar="RUN", default="", help="Go on with a run that was interrupted.")
@click.option(
    "--compare", metavar="RUN|baseline", default="", help="Compare question by question; exit code 3 if worse."
)
@_runs_option
@_index_option
@_model_options
@click.pass_context
def eval_command(context: click.Context, /, **options: Any) -> int:  # noqa: ANN401 - options of several types
    """Measure how far the answers can be trusted; each figure with its 95 % interval.

    Exit code 3 when a count that must be 0 is not, or when --compare finds that something got significantly worse.
    """
    if context.invoked_subcommand is not None:
        return 0
    from rag_geo.evaluation import figures
    from rag_geo.evaluation.suite import QUESTIONS, Plan

    edges: Edges = context.obj
    flags = {name: options[name] for name in ("index", "model", "trust_model")}
    data: Path | None = options["data"]
    plan = Plan(
        tiers=tuple(dict.fromkeys(options["tiers"])) or (("grounding",) if data else ("retrieval", "answer")),
        limit=options["limit"],
        kinds=options["kinds"],
        split=options["split"] or "",
        seed=options["seed"],
        documents=not options["closed"],
        questions=options["questions"] or QUESTIONS,
        docs=options["docs"],
        data=data,
    )
    done = evaluate(
        edges, plan, edges.settings(flags), options["runs"], resume=options["resume"], compare_with=options["compare"]
    )
    _print_lines(edges, figures.summary_lines(done.summary))
    _print(f"\nreport: {visible_name(str(done.folder / 'report.html'))}\n")
    failed = figures.violations(done.summary)
    if failed:
        _print(f"must be 0 and is not: {', '.join(failed)}\n")
    if done.comparison is not None:
        _print_lines(edges, figures.comparison_lines(done.comparison))
        return done.comparison.exit_code
    return SKIPPED if failed else 0


@eval_command.command("show")
@click.argument("run")
@click.option("--id", "wanted", required=True, metavar="ID", help="The question.")
@_runs_option
@click.pass_obj
def eval_show(edges: Edges, /, run: str, wanted: str, runs: Path) -> int:
    """Print one question of RUN as a user would see it, with its gold, its scores and every signal."""
    from rag_geo.evaluation import figures

    for each in evaluated_cases(runs, run, wanted):
        _print_lines(edges, figures.case_lines(each))
        _print("\n")
    return 0


@eval_command.command("baseline")
@click.argument("run", nargs=-1, required=True)
@_runs_option
def eval_baseline(run: Sequence[str], runs: Path) -> int:
    """Keep RUN as the baseline, in evals/baseline/: its figures and scores, without answers and paragraphs.

    Of further runs, what the ones before them did not measure is added.
    """
    kept = ", ".join(visible_name(one.folder.name) for one in keep_baseline(runs, run))
    return _print(f"the baseline is now {kept}\n")


@eval_command.command("table")
@click.argument("run", metavar="[RUN|baseline]", default="baseline")
@_split_option
@_runs_option
def eval_table(run: str, split: str | None, runs: Path) -> int:
    """Print the figures of RUN (default: of the baseline) as a Markdown table, with the goals of the project."""
    return _print(evaluated_table(runs, run, split or ""))


@eval_command.command("mutants")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Questions, the kinds in balance (default: 42).")
@click.option("--seed", type=int, default=0, show_default=True, help="Draws the questions.")
@_questions_option
@click.option("--fresh", is_flag=True, help="Ask the model everything anew, also what it was asked in an earlier test.")
@_runs_option
@_index_option
@_model_options
@click.pass_obj
def eval_mutants(
    edges: Edges, /, limit: int | None, seed: int, questions: Path | None, fresh: bool, runs: Path, **flags: object
) -> int:
    """Test whether --compare notices pipelines that are broken on purpose.

    Exit code 3 when fewer than 90 % are noticed, or when the unbroken pipeline against itself raises an alarm.
    """
    from rag_geo.evaluation import mutants
    from rag_geo.evaluation.suite import QUESTIONS, Plan

    plan = Plan(("answer",), limit or mutants.SAMPLE, seed=seed, questions=questions or QUESTIONS)
    folder, trials = evaluate_mutants(edges, plan, edges.settings(flags), runs, fresh=fresh)
    _print_lines(edges, mutants.trial_lines(trials))
    _print(f"\nresults: {visible_name(str(folder))}\n")
    return mutants.exit_code(trials)


def run(arguments: Sequence[str], edges: Edges) -> int:
    """Run one command and give its exit code. What the user can mend is said in two lines on standard error."""
    try:
        with cli.make_context("rag-geo", list(arguments), obj=edges) as context:
            code = cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as left:
        return left.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except RagGeoError as error:
        click.echo(error_text(error), err=True)
        return error.exit_code
    except KeyboardInterrupt:
        click.echo("\ninterrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        return CLOSED_PIPE
    return int(code or 0)


def main() -> NoReturn:
    """Run ``rag-geo`` as a process."""
    environment = dict(os.environ)  # noqa: TID251
    run_process(lambda: run(sys.argv[1:], Edges(environment)))


def _print(text: str) -> int:
    click.echo(text, nl=False)
    return 0


def _print_lines(edges: Edges, lines: Iterable[Line]) -> int:
    return _print(lines_text(lines, width=terminal_width(), color=edges.color(sys.stdout)))


def _print_json(value: object) -> int:
    # As bytes: JSON is UTF-8 whatever the terminal is set to.
    click.echo(json_text(value, indent=2).encode())
    return 0


def _print_each(objects: Iterable[dict[str, object]]) -> int:
    failed = False
    for each in objects:
        click.echo(json_text(each).encode())
        failed |= "error" in each
    return SKIPPED if failed else 0
