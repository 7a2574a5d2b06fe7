"""What a Python lacks is lent to it: real environments, whose files are the same before and after."""

from __future__ import annotations

import os
import py_compile
import re
import sys
import sysconfig
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from tests.support.environments import environment, files
from tests.support.upgrading import PLUGIN, fake_uv, script, told
from xent_conformance.asking import lending
from xent_conformance.asking.connection import FrameworkAbsent
from xent_conformance.asking.lending import Loan, NotLent, There, bytecode_folder, default_folder, loan_for
from xent_conformance.asking.process import connect
from xent_conformance.discovery.framework import FRAMEWORKS, Framework, Seat
from xent_conformance.discovery.plugins import load
from xent_conformance.reference.kept import use
from xent_conformance.versions.cleaning import clean
from xent_conformance.versions.kept import kinds

ALONE = {"PYTHONPATH": "", "PYTHONHOME": ""}
SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is lent here is not what others lend, and is asked for anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lending._loan.cache_clear()


@pytest.fixture
def fakeframe() -> Framework:
    """The framework of three lines, registered for one test."""
    before = dict(FRAMEWORKS)
    (taken,) = load(PLUGIN)
    FRAMEWORKS.clear()
    FRAMEWORKS.update(before)
    return taken


def test_an_environment_without_numpy_is_asked_and_stays_as_it_is(
    tmp_path: Path, fakeframe: Framework
) -> None:
    python, _ = environment(tmp_path / "theirs")
    before = files(tmp_path / "theirs")
    connection = connect(Seat(fakeframe, interpreter=str(python)))
    connection.close()
    assert connection.hello["version"] == "1.0"
    told = connection.hello["environment"]
    assert told["lent"] == f"numpy {np.__version__}, ml_dtypes {ml_dtypes.__version__}"
    assert told["numpy"] == np.__version__
    assert files(tmp_path / "theirs") == before


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="which processes there are is read from /proc")
def test_what_a_worker_was_lent_is_not_taken_away_from_it(tmp_path: Path, fakeframe: Framework) -> None:
    python, _ = environment(tmp_path / "theirs")
    connection = connect(Seat(fakeframe, interpreter=str(python)))
    try:
        done = clean(kinds()["lent"])
        assert len(done.left) == 2 and done.gone == ()
        assert all(re.fullmatch(r"process \d+ uses it", why) for _, why in done.left)
    finally:
        connection.close()


@pytest.mark.parametrize("when", ["while ours is filled", "as ours is renamed"])
def test_what_another_has_lent_meanwhile_serves_as_well(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker has it in use."""
    rename, home = Path.rename, tmp_path / "lent" / "numpy-1.0"

    def theirs() -> None:
        (home / "theirs").mkdir(parents=True)

    def fill(new: Path) -> None:
        (new / "ours").mkdir()
        if when == "while ours is filled":
            theirs()

    def late(new: Path, target: Path) -> Path:
        if when == "as ours is renamed":
            theirs()
        return rename(new, target)

    monkeypatch.setattr(Path, "rename", late)
    lending._made(home, lambda: (home / "theirs").is_dir(), fill)
    assert [p.name for p in home.iterdir()] == ["theirs"]
    assert [p.name for p in home.parent.iterdir()] == ["numpy-1.0"], "nothing is left of ours"


def test_what_is_lent_is_not_installed_there(tmp_path: Path) -> None:
    """NumPy is a framework too: it is not judged where it is ours."""
    python, _ = environment(tmp_path / "theirs")
    with pytest.raises(FrameworkAbsent, match="No module named 'numpy' there") as absent:
        connect(Seat(FRAMEWORKS["numpy"], interpreter=str(python)))
    assert not absent.value.broken


def test_what_is_there_comes_first_and_is_not_lent(tmp_path: Path, fakeframe: Framework) -> None:
    python, site = environment(tmp_path / "theirs")
    ours = Path(np.__file__).parents[1]
    for name in ("numpy", "numpy.libs"):
        if (ours / name).exists():
            (site / name).symlink_to(ours / name)
    loan = loan_for(str(python), ALONE)
    assert list(loan.lent) == ["ml_dtypes"]
    # another of that name behind it is not reached
    connection = connect(Seat(fakeframe, interpreter=str(python)))
    connection.close()
    assert connection.hello["environment"]["lent"] == f"ml_dtypes {ml_dtypes.__version__}"


def _lent_again(python: str) -> list[Path]:
    """Folders that are lent once more, of which nobody had used any for long."""
    folders = [*map(Path, loan_for(python, ALONE).folders)]
    for folder in folders:
        os.utime(folder, (0, 0))
    lending._loan.cache_clear()
    use.cache_clear()
    loan_for(python, ALONE)
    return [folder for folder in folders if folder.stat().st_mtime > 0]


def test_what_is_lent_again_is_used(tmp_path: Path) -> None:
    """So `cache clean --older-than` leaves it."""
    python, _ = environment(tmp_path / "theirs")
    assert len(_lent_again(str(python))) == 2


def test_links_that_lead_nowhere_any_more_are_made_anew(tmp_path: Path) -> None:
    python, _ = environment(tmp_path / "theirs")
    numpy, _ = map(Path, loan_for(str(python), ALONE).folders)
    (numpy / "numpy").unlink()
    (numpy / "numpy").symlink_to(tmp_path / "gone")
    lending._loan.cache_clear()
    again, _ = map(Path, loan_for(str(python), ALONE).folders)
    assert again == numpy and (numpy / "numpy" / "__init__.py").is_file()
    assert {p.name.split("-")[0] for p in default_folder().iterdir()} == {"numpy", "ml_dtypes"}


def test_our_own_python_is_lent_nothing(fakeframe: Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_loan(*_: object) -> Loan:
        raise AssertionError("asked for a loan")

    monkeypatch.setattr("xent_conformance.asking.process.loan_for", no_loan)
    with pytest.raises(FrameworkAbsent, match="No module named 'fakeframe'"):
        connect(Seat(fakeframe))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exit 3", "is no Python that can be asked"),
        ("echo I am no Python; exit 3", "is no Python that can be asked: I am no Python"),
    ],
)
def test_what_is_no_python_says_so(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(NotLent, match=message):
        loan_for(str(script(tmp_path / "python", text)), ALONE)
    with pytest.raises(FrameworkAbsent, match=message) as absent:
        connect(Seat(FRAMEWORKS["torch"], interpreter=str(tmp_path / "python")))
    assert absent.value.broken, "it is not that the framework is not installed"


def test_a_program_that_is_gone_says_so() -> None:
    with pytest.raises(NotLent, match="/no/such/python cannot be started"):
        loan_for("/no/such/python", ALONE)


# --- another version of Python: what it lacks is fetched for it -----------------------------------------

_OTHER = There("/other/python", "3.99.0", ".cpython-399-x86_64-linux-gnu.so", "cpython-399", (), ("numpy",))


_NUMPY = """
for word in "$@"; do last="$into"; into="$word"; done
mkdir -p "$last/numpy" "$last/numpy-2.9.dist-info"
printf "Metadata-Version: 2.1\\nName: numpy\\nVersion: 2.9\\n" > "$last/numpy-2.9.dist-info/METADATA"
exit 0
"""
"""What an installer does that is told ``--target FOLDER numpy``."""


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> There:
    """A Python whose compiled modules ours are not."""
    monkeypatch.setattr(lending, "look", lambda *_: _OTHER)
    return _OTHER


def test_for_another_version_it_is_installed_into_our_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: There
) -> None:
    monkeypatch.setenv("PATH", str(fake_uv(tmp_path, install=_NUMPY)), prepend=os.pathsep)
    loan = loan_for(other.python, ALONE)
    assert loan.lent == {"numpy": "2.9"}
    (line,) = told(tmp_path)
    assert line.startswith("pip install --quiet --python /other/python --no-deps --target ")
    assert line.endswith(" numpy>=1.26")
    lending._loan.cache_clear()
    assert loan_for(other.python, ALONE) == loan and len(told(tmp_path)) == 1, "it is kept"
    assert len(_lent_again(other.python)) == 1, "and used"


def test_what_cannot_be_fetched_says_why_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: There
) -> None:
    uv = fake_uv(tmp_path, install="echo no network here >&2; exit 4")
    monkeypatch.setenv("PATH", str(uv), prepend=os.pathsep)
    with pytest.raises(NotLent) as caught:
        loan_for(other.python, ALONE)
    words = str(caught.value)
    assert words.startswith(
        "Python 3.99.0 at /other/python has no numpy, which a worker imports, and numpy>="
    )
    assert "(no network here); install it there, or install the suite with that Python's version" in words
    assert list(default_folder().iterdir()) == [], "nothing is left half-made"


# --- bytecode --------------------------------------------------------------------------------------------


def test_bytecode_is_read_where_it_is_and_written_to_our_cache_where_it_is_not(tmp_path: Path) -> None:
    """Torch without any is compiled for seconds at every start; beside its modules none is written."""
    there = There("/python", "3", SUFFIX, str(sys.implementation.cache_tag), (str(tmp_path),), ())
    loan = Loan(there, (), {})
    (tmp_path / "torch").mkdir()
    source = tmp_path / "torch" / "__init__.py"
    source.touch()
    assert loan.environment("torch")["PYTHONPYCACHEPREFIX"] == str(bytecode_folder())
    assert not loan.environment("torch")["PYTHONDONTWRITEBYTECODE"]
    py_compile.compile(str(source))
    assert loan.environment("torch") == {"PYTHONDONTWRITEBYTECODE": "1"}
    assert loan.environment("jax") == {"PYTHONDONTWRITEBYTECODE": "1"}


def test_a_package_without_bytecode_has_none_afterwards(tmp_path: Path, fakeframe: Framework) -> None:
    python, site = environment(tmp_path / "theirs")
    (site / "fakeframe").mkdir()
    (site / "fakeframe.py").rename(site / "fakeframe" / "__init__.py")
    before = files(tmp_path / "theirs")
    connect(Seat(fakeframe, interpreter=str(python))).close()
    assert files(tmp_path / "theirs") == before
    kept = [p.name.partition(".")[0] for p in bytecode_folder().rglob("fakeframe/*.pyc")]
    assert kept == ["__init__"]
