import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_geo import cpu
from rag_geo.cpu import BuildRecord

SSE = "fpu sse sse2 pni ssse3 sse4_1 sse4_2 popcnt"
HASWELL = f"{SSE} avx avx2 fma f16c bmi1 bmi2 movbe"
SKYLAKE_SP = f"{HASWELL} avx512f avx512dq avx512cd avx512bw avx512vl"
SAPPHIRE_RAPIDS = (
    f"{SKYLAKE_SP} avx512ifma avx512vbmi avx512_vbmi2 avx512_vnni avx512_bf16 avx512_fp16 avx_vnni "
    "amx_bf16 amx_tile amx_int8"
)
LEVELS = {"SSE42", "AVX", "AVX2", "FMA", "F16C", "BMI2"}
MACHINES = {
    "old virtual CPU": (SSE, {"SSE42"}),
    "no SSE4.2": ("fpu sse sse2 pni", set()),
    "Ivy Bridge": (f"{SSE} avx f16c rdrand", {"SSE42", "AVX", "F16C"}),
    "Haswell": (HASWELL, LEVELS),
    "Zen 2": (f"{HASWELL} sse4a sha_ni clzero", LEVELS),
    "Alder Lake": (f"{HASWELL} avx_vnni", LEVELS | {"AVX_VNNI"}),
    "Knights Landing": (f"{HASWELL} avx512f avx512cd avx512er avx512pf", LEVELS),
    "Skylake-SP": (SKYLAKE_SP, LEVELS | {"AVX512"}),
    "Zen 5": (
        f"{SKYLAKE_SP} avx512ifma avx512vbmi avx512_vnni avx512_bf16 avx_vnni avx512_vp2intersect",
        LEVELS | {"AVX512", "AVX512_VBMI", "AVX512_VNNI", "AVX512_BF16", "AVX_VNNI"},
    ),
    "Sapphire Rapids": (
        SAPPHIRE_RAPIDS,
        LEVELS | {"AVX512", "AVX512_VBMI", "AVX512_VNNI", "AVX512_BF16", "AVX_VNNI"},
    ),
    "hypervisor that hides AVX alone": (HASWELL.replace(" avx ", " "), {"SSE42", "BMI2"}),
    "hypervisor that hides AVX-512BW": (SAPPHIRE_RAPIDS.replace(" avx512bw", ""), LEVELS | {"AVX_VNNI"}),
}


def flags_of(cpuinfo: str, architecture: str = "x86_64") -> dict[str, str]:
    return cpu.cmake_flags(frozenset(cpuinfo.split()), architecture)


@pytest.mark.parametrize(("reported", "expected"), MACHINES.values(), ids=MACHINES)
def test_the_build_uses_what_the_cpu_has_and_nothing_else(reported, expected):
    assert cpu.instruction_sets(flags_of(reported)) == expected


@pytest.mark.parametrize(("reported", "expected"), MACHINES.values(), ids=MACHINES)
def test_every_instruction_set_is_decided_so_that_no_default_of_the_build_decides_it(reported, expected):
    flags = flags_of(reported)
    named = {"SSE42", "AVX", "AVX2", "FMA", "F16C", "BMI2", "AVX_VNNI", "AVX512"}
    named |= {"AVX512_VBMI", "AVX512_VNNI", "AVX512_BF16", "AMX_TILE", "AMX_INT8", "AMX_BF16"}
    assert {f"GGML_{name}" for name in named} <= set(flags)
    assert set(flags.values()) == {"ON", "OFF"} if expected else {"OFF"}


@given(st.sets(st.sampled_from([*SAPPHIRE_RAPIDS.split(), "sse4a", "asimddp"])), st.sampled_from(["x86_64", "i686"]))
def test_amx_and_native_are_never_on(reported, architecture):
    flags = cpu.cmake_flags(frozenset(reported), architecture)
    assert flags["GGML_NATIVE"] == "OFF"
    assert {flags["GGML_AMX_TILE"], flags["GGML_AMX_INT8"], flags["GGML_AMX_BF16"]} == {"OFF"}


@given(st.sets(st.sampled_from(SAPPHIRE_RAPIDS.split())), st.sampled_from(SAPPHIRE_RAPIDS.split()))
def test_one_more_instruction_never_turns_another_off(reported, more):
    fewer = cpu.instruction_sets(cpu.cmake_flags(frozenset(reported), "x86_64"))
    assert fewer <= cpu.instruction_sets(cpu.cmake_flags(frozenset(reported) | {more}, "x86_64"))


@pytest.mark.parametrize(
    ("reported", "march"),
    [
        ("fp asimd evtstrm crc32", "armv8-a"),
        ("fp asimd fphp asimdhp asimddp", "armv8.2-a+dotprod+fp16"),
        ("fp asimd fphp asimdhp asimddp sve i8mm bf16", "armv8.2-a+dotprod+fp16+i8mm"),
    ],
    ids=["Cortex-A72", "Neoverse N1", "Graviton 3"],
)
def test_an_arm_cpu_gets_the_extensions_it_reports(reported, march):
    flags = flags_of(reported, "aarch64")
    assert flags["GGML_CPU_ARM_ARCH"] == march
    assert flags["GGML_NATIVE"] == "OFF"


@pytest.mark.parametrize("architecture", ["riscv64", "loongarch64", "s390x", "ppc64le", "armv7l"])
def test_an_unknown_architecture_gets_portable_code(architecture):
    flags = flags_of(SAPPHIRE_RAPIDS, architecture)
    assert flags["GGML_NATIVE"] == flags["GGML_RVV"] == flags["GGML_LASX"] == "OFF"
    assert cpu.instruction_sets(flags) == set()


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64", "riscv64"])
def test_pictures_and_tls_are_left_out_of_the_build(architecture):
    flags = flags_of(SSE, architecture)
    assert flags["LLAVA_BUILD"] == flags["LLAMA_OPENSSL"] == "OFF"


def test_a_build_for_a_newer_cpu_is_illegal_on_an_older_one_and_slow_the_other_way_round():
    newer, older = flags_of(SKYLAKE_SP), flags_of(HASWELL)
    assert cpu.illegal_here(built=newer, here=older) == {"AVX512"}
    assert cpu.unused_here(built=newer, here=older) == set()
    assert cpu.illegal_here(built=older, here=newer) == set()
    assert cpu.unused_here(built=older, here=newer) == {"AVX512"}


def test_a_build_with_amx_or_for_the_machine_it_was_made_on_is_illegal_everywhere():
    built = flags_of(SAPPHIRE_RAPIDS) | {"GGML_AMX_INT8": "ON", "GGML_NATIVE": "ON"}
    assert cpu.illegal_here(built=built, here=flags_of(SAPPHIRE_RAPIDS)) == {"AMX_INT8", "NATIVE"}


def test_an_arm_build_is_compared_by_its_extensions():
    built, here = flags_of("asimddp i8mm", "aarch64"), flags_of("asimddp", "aarch64")
    assert cpu.illegal_here(built=built, here=here) == {"i8mm"}


def test_only_flags_that_every_core_reports_count():
    cpuinfo = "processor\t: 0\nflags\t\t: sse avx2 avx512f\n\nprocessor\t: 1\nflags\t\t: sse avx2\nbugs\t\t: avx\n"
    assert cpu.parse_cpuinfo(cpuinfo) == {"sse", "avx2"}
    assert cpu.parse_cpuinfo("Features\t: fp asimd\n") == {"fp", "asimd"}
    assert cpu.parse_cpuinfo("") == frozenset()


@given(st.text())
def test_no_text_of_cpuinfo_breaks_the_reading(text):
    assert cpu.parse_cpuinfo(text) == cpu.parse_cpuinfo(text + "\nvendor_id: none\n")


def test_a_machine_without_cpuinfo_is_built_for_portably(tmp_path):
    assert cpu.read_cpu_flags(tmp_path / "none") == frozenset()
    (tmp_path / "cpuinfo").write_text("flags : sse avx\n")
    assert cpu.read_cpu_flags(tmp_path / "cpuinfo") == {"sse", "avx"}


def test_the_build_record_comes_back_as_it_was_written(tmp_path):
    record = BuildRecord("0.3.36", flags_of(HASWELL), "g++ 12.2.0", "llama.whl", "ab" * 32, 88.5)
    cpu.write_build_record(tmp_path, record)
    assert cpu.read_build_record(tmp_path) == record


@pytest.mark.parametrize(
    "content",
    [None, "", "{", "[]", "7", '{"version": "1"}', '{"flags": 3}', b"\xff\xfe"],
)
def test_a_build_that_is_not_recorded_is_not_known(tmp_path, content):
    if content is not None:
        path = tmp_path / cpu.RECORD_NAME
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert cpu.read_build_record(tmp_path) is None


def test_a_record_whose_flags_are_no_table_is_not_known(tmp_path):
    fields = {"version": "1", "flags": [], "compiler": "", "wheel": "", "sha256": "", "seconds": 1}
    (tmp_path / cpu.RECORD_NAME).write_text(json.dumps(fields))
    assert cpu.read_build_record(tmp_path) is None


def test_the_flags_are_printed_by_a_bare_python_without_the_package():
    script = Path(cpu.__file__)
    run = subprocess.run([sys.executable, "-I", "-S", str(script)], capture_output=True, text=True, check=True)
    assert dict(line.split("=", 1) for line in run.stdout.splitlines()) == cpu.machine_flags()


def test_main_prints_what_the_build_will_use(capsys):
    assert cpu.main() == 0
    assert capsys.readouterr().out.startswith("GGML_NATIVE=OFF\nLLAVA_BUILD=OFF\n")
