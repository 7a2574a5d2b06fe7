"""A real environment with a framework in it, and what its files hold before and after."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.upgrading import framework


def environment(folder: Path) -> tuple[Path, Path]:
    """A real one, with the framework of three lines and nothing else: its Python, and its site-packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    shutil.copy(framework(folder.parent, "1.0") / "fakeframe.py", site)
    return folder / "bin" / "python", site


def files(folder: Path) -> Mapping[str, str]:
    """Every file of a folder, with what it holds."""
    found = (p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def standing(folder: Path, *packages: str) -> str:
    """An environment that starts at once, of links: its Python. Its packages cannot be imported."""
    ours = Path(sys.executable).resolve()
    site = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text(f"home = {ours.parent}\n", encoding="utf-8")
    for name in ("python", "python3"):
        (folder / "bin" / name).symlink_to(ours)
    for package in packages:
        (site / package).mkdir(parents=True)
        (site / package / "__init__.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    return str(folder / "bin" / "python3")
