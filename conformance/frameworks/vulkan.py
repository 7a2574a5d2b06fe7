"""Drivers of Vulkan that compute on a CPU: which are known, where they lie, and how one is chosen.

A library that speaks to a GPU by Vulkan speaks to such a driver as well: its shaders, and the code on the
host that calls them, are those of a GPU. The loader of Vulkan reads its variables when the library first asks
it, so they are set before.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xent_conformance.devices.variants import DRIVER

CHOSEN = "VK_ICD_FILENAMES"
"""The loader's variable: the drivers that there are, and no other. It may be set beforehand too."""

DISABLED = "VK_LOADER_DRIVERS_DISABLE"

FOLDERS = tuple(
    Path(folder)
    for folder in (
        "/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d",
        "/usr/lib/chromium", "/usr/lib/chromium-browser", "/usr/lib64/chromium-browser", "/opt/google/chrome",
    )
)  # fmt: skip
"""Where systems keep manifests of drivers, and browsers theirs."""


@dataclass(frozen=True)
class Driver:
    """A driver of Vulkan: how its manifest's file is called, and who brings it."""

    title: str
    manifest: str
    install: str


DRIVERS = {
    "swiftshader": Driver(
        "SwiftShader",
        "vk_swiftshader_icd*.json",
        "browsers bring it: apt-get install chromium libvulkan1",
    ),
    "lavapipe": Driver("lavapipe", "lvp_icd*.json", "Mesa's: apt-get install mesa-vulkan-drivers"),
}


def manifest(name: str, folders: Sequence[Path] = FOLDERS) -> Path:
    """The manifest of a driver: of those that the loader is told, else of those in the folders.

    Raises ImportError where there is none, with what brings it.
    """
    driver = DRIVERS[name]
    told = map(Path, filter(None, os.environ.get(CHOSEN, "").split(os.pathsep)))
    there = [*told, *(file for folder in folders for file in sorted(folder.glob(driver.manifest)))]
    for file in there:
        if file.match(driver.manifest) and file.is_file():
            return file
    raise ImportError(
        f"{driver.title}, a driver of Vulkan, is not here: {driver.install}; or name its {driver.manifest} "
        f"in {CHOSEN}"
    )


def choose(folders: Sequence[Path] = FOLDERS) -> Path | None:
    """Have Vulkan find the driver of our setting alone; where none is set, no driver that computes on a CPU.

    The manifest of the first. To be called before a library asks Vulkan.
    """
    name = os.environ.get(DRIVER, "")
    if not name:
        files = (driver.manifest.removesuffix(".json") for driver in DRIVERS.values())
        os.environ.setdefault(DISABLED, ",".join(f"*{file}" for file in files))
        return None
    found = manifest(name, folders)
    os.environ[CHOSEN] = str(found)
    return found


def described(file: Path) -> str:
    """``SwiftShader, Vulkan 1.0.5, libvk_swiftshader.so 0f3a…``: a driver has no version but its bits."""
    (title,) = (d.title for d in DRIVERS.values() if file.match(d.manifest))
    told = json.loads(file.read_text(encoding="utf-8"))["ICD"]
    library = file.parent / told["library_path"]
    parts = [title, f"Vulkan {told['api_version']}"]
    if library.is_file():
        parts.append(f"{library.name} {hashlib.sha256(library.read_bytes()).hexdigest()[:12]}")
    return ", ".join(parts)
