"""Set up the virtual environment: check the machine, build llama-cpp-python for its CPU, install everything as pinned.

``python3 setup/prepare.py VENV [--dev]``, with the standard library alone. `make` calls it, and only when something it
depends on has changed; it may be stopped and started again at any point.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parent))

import llama_wheel
from progress import StepError, clock, run_visibly, say

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
LOG = ROOT / "build" / "setup.log"
NEEDED_GB = 6  # virtual environment 1.5, build 1, models 1.8, and room


_PIP = re.compile(
    r"(?:Collecting|Downloading|Processing|Building wheel for|Installing collected packages:|Using cached)\s+(\S+)(.*)"
)


def load_cpu() -> ModuleType:
    """Load `rag_geo.cpu` from its file, without the package, which is not installed yet."""
    spec = importlib.util.spec_from_file_location("rag_geo_cpu", ROOT / "src" / "rag_geo" / "cpu.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def missing_packages(
    which: Callable[[str], object], has_module: Callable[[str], bool], version: tuple[int, int], env: Mapping[str, str]
) -> list[str]:
    """Give the Debian packages to install, in order: the parts of the machine that nothing here can bring along."""
    packages = []
    if not (has_module("venv") and has_module("ensurepip")):
        packages.append(f"python{version[0]}.{version[1]}-venv")
    if not which((env.get("CXX") or "g++").split()[0]) or not which((env.get("CC") or "gcc").split()[0]):
        packages.append("g++")
    return packages


def apt_command(packages: Iterable[str], *, root: bool) -> str:
    """Give the command that installs `packages`."""
    sudo = "" if root else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get install -y {' '.join(packages)}"


def check_machine(env: Mapping[str, str]) -> None:
    """Stop, naming the command that helps, where something is missing."""
    version = sys.version_info[:2]
    if version < (3, 11):
        raise StepError(f"Python 3.11 or newer is needed; this is {version[0]}.{version[1]}")
    packages = missing_packages(
        shutil.which, lambda name: importlib.util.find_spec(name) is not None, (version[0], version[1]), env
    )
    if packages:
        command = apt_command(packages, root=os.geteuid() == 0)
        raise StepError(f"missing on this machine: {', '.join(packages)}\nInstall with:\n    {command}")
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < NEEDED_GB:
        say(f"    warning: {free:.1f} GB free here; the set-up with its models takes about {NEEDED_GB} GB")


def read_pip_line(line: str) -> str | None:
    """Give what is worth showing of pip's output."""
    found = _PIP.match(line)
    if not found:
        return None
    size = re.search(r"\(([\d.]+ [kMG]?B)\)", found[2])
    name = found[1].rstrip("/").rsplit("/", 1)[-1]
    verb = line.split()[0].lower()
    return f"{verb} all packages" if verb == "installing" else f"{verb} {name}" + (f" ({size[1]})" if size else "")


class Pip:
    """pip of the virtual environment, always under the constraints; TORCH_INDEX names one more package index."""

    def __init__(self, python: Path, env: Mapping[str, str]) -> None:
        self.python = python
        pins = str(CONSTRAINTS)
        self.env = {**env, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
        self.build_env = {**self.env, "PIP_CONSTRAINT": pins, "PIP_BUILD_CONSTRAINT": pins}
        self.index = ["--extra-index-url", env["TORCH_INDEX"]] if env.get("TORCH_INDEX") else []

    def install(self, title: str, *what: str) -> None:
        """Install `what`, visibly."""
        run_visibly(
            title,
            [str(self.python), "-m", "pip", "install", "--prefer-binary", "-c", str(CONSTRAINTS), *self.index, *what],
            log=LOG,
            read=read_pip_line,
            env=self.build_env,
        )


def ensure_llama(venv: Path, pip: Pip, env: Mapping[str, str]) -> None:
    """Have llama-cpp-python in the environment, built with this machine's flags."""
    cpu = load_cpu()
    flags = cpu.machine_flags()
    say("    llama.cpp for this CPU: " + " ".join(f"{name}={value}" for name, value in flags.items()))
    record = cpu.read_build_record(venv)
    there = any(venv.glob("lib/*/site-packages/llama_cpp"))
    if there and record and record.flags == flags and record.version == llama_wheel.VERSION:
        say("    already installed with these flags")
        return
    cache = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rag-geo"
    wheel, made = llama_wheel.find_or_build(
        pip.python, flags, cache=cache, constraints=CONSTRAINTS, log=LOG, env=pip.env
    )
    (venv / cpu.RECORD_NAME).unlink(missing_ok=True)
    pip.install("installing it", "--no-deps", "--force-reinstall", str(wheel))
    cpu.write_build_record(venv, cpu.BuildRecord(**made))


def installed(python: Path) -> dict[str, str]:
    """Give name and version of every distribution in the environment."""
    code = "from importlib.metadata import distributions\nfor d in distributions(): print(d.name, d.version, sep='==')"
    out = subprocess.run([str(python), "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    return dict(line.split("==", 1) for line in out.splitlines())


def ensure_torch(pip: Pip) -> None:
    """Have torch in the environment before the packages that ask for it, and say so if it brought CUDA along."""
    pinned = dict(line.split("==") for line in CONSTRAINTS.read_text().splitlines() if "==" in line)["torch"]
    if installed(pip.python).get("torch", "").split("+")[0] == pinned:
        say(f"    torch {pinned} is installed already")
        return
    pip.install(
        "installing torch (200 MB, 1 min; gigabytes where the index has the CUDA wheel: see TORCH_INDEX)", "torch"
    )
    now = installed(pip.python)
    cuda = [name for name in now if name.startswith("nvidia-")]
    say(f"    torch {now['torch']}")
    if cuda:
        say(f"    {len(cuda)} CUDA packages came along that rag-geo does not need; `make clean setup TORCH_INDEX=URL`")
        say("    with the URL of a package index that has torch's CPU wheels avoids them")


def prepare(venv: Path, env: Mapping[str, str], *, dev: bool) -> None:
    """Do all steps; each does nothing where its result is there already."""
    check_machine(env)
    python = venv / "bin" / "python"
    if not python.exists() or not list(venv.glob("lib/*/site-packages/pip")):
        command = [sys.executable, "-m", "venv", str(venv)]
        run_visibly("making the virtual environment (10 s)", command, log=LOG, read=lambda _: None, env=env)
    pip = Pip(python, env)
    ensure_llama(venv, pip, env)
    ensure_torch(pip)
    project = f"{ROOT}[dev]" if dev else str(ROOT)
    pip.install("installing the other packages, as pinned in constraints.txt (1 min)", "-e", project)


def main(arguments: list[str]) -> int:
    """Set up; give the exit status."""
    began = time.monotonic()
    venv = Path(next(name for name in arguments if not name.startswith("-"))).absolute()
    LOG.parent.mkdir(exist_ok=True)
    LOG.write_text("")
    try:
        prepare(venv, os.environ, dev="--dev" in arguments)
    except StepError as error:
        say(f"\nset-up stopped.\n{error}")
        return 1
    except KeyboardInterrupt:
        say("\nset-up stopped; `make setup` goes on from here")
        return 130
    say(f"==> set up in {clock(time.monotonic() - began)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
