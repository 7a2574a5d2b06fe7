"""A runner of the GitHub Action: it takes the steps of ``action.yml`` as GitHub would, in a folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.paths import ROOT

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
ROOMS = ("cases", "conformance", "reference", "reports")
EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")


@dataclass
class Runner:
    """What a runner gives to the steps: contexts, a temporary folder, files to write to."""

    folder: Path
    inputs: dict[str, str]
    branch: str = "main"
    path: str = ""
    """Where modules are found beside those that are installed."""
    suite: str = ""
    """The Python of the environment that the suite is in; the one that is asked, where none is named."""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    log: str = ""

    def value(self, expression: str) -> str:
        """An expression of the kinds that the action uses."""
        known = {f"inputs.{name}": value for name, value in self.inputs.items()}
        known |= {
            "github.ref_name": self.branch,
            "github.event.repository.default_branch": "main",
            "github.action_path": str(ROOT),
            "github.run_id": "7",
            "github.run_attempt": "1",
            "runner.os": "Linux",
            "runner.arch": "X64",
        }
        for step, found in self.outputs.items():
            known |= {f"steps.{step}.outputs.{name}": value for name, value in found.items()}
        return known[expression]

    def filled(self, text: str) -> str:
        return EXPRESSION.sub(lambda m: self.value(m[1]), text)

    def holds(self, condition: str) -> bool:
        """``a == 'b' && c != d``."""
        if condition == "always()":
            return True
        for part in condition.split("&&"):
            left, sign, right = re.split(r"\s*(==|!=)\s*", part.strip())
            a, b = (x[1:-1] if x.startswith("'") else self.value(x) for x in (left, right))
            if (a == b) is (sign == "!="):
                return False
        return True

    def run(self) -> int:
        """Every step in turn; the status of the first that fails, as a job would end."""
        status = 0
        for step in ACTION["runs"]["steps"]:
            condition = step.get("if", "")
            if (status and condition != "always()") or (condition and not self.holds(condition)):
                continue
            if "uses" in step:
                self.use(step)
            else:
                status = self.shell(step) or status
        return status

    def use(self, step: dict[str, Any]) -> None:
        """Cache and upload: what they are told must be there, or made of what is."""
        given = {name: self.filled(str(text)) for name, text in step["with"].items()}
        self.log += f"{step['uses']} {json.dumps(given)}\n"

    def shell(self, step: dict[str, Any]) -> int:
        to = self.folder / "output"
        to.write_text("", encoding="utf-8")
        environment = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "XDG_CACHE_HOME")}
        environment |= {name: self.filled(text) for name, text in step.get("env", {}).items()}
        environment |= {
            "GITHUB_OUTPUT": str(to),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_WORKSPACE": str(self.folder),
            "RUNNER_TEMP": str(self.folder / "temp"),
            "PYTHONPATH": self.path,
        }
        # the suite is there already: a test makes no environment, and installs nothing
        script = step["run"].replace("-m pip install --quiet", "-c pass")
        made = 'made() { mkdir -p "$1/bin"; printf \'#!/bin/sh\\nexec "%s" "$@"\\n\' "$SUITES" > '
        made += '"$1/bin/python"; chmod +x "$1/bin/python"; }\n'
        script = made + script.replace('"$PYTHON" -m venv', "made").replace('> "$ours/', '> "$RUNNER_TEMP/')
        environment["SUITES"] = self.suite or self.inputs["python"]
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        self.log += done.stdout + done.stderr
        pairs = dict(line.split("=", 1) for line in to.read_text(encoding="utf-8").splitlines())
        if "id" in step:
            self.outputs[step["id"]] = pairs
        return done.returncode


def of(folder: Path, **inputs: str) -> Runner:
    """A runner in that folder; an input that is not given has its default.

    The repository has packages of its own that are called as rooms of the suite are: none may be imported.
    """
    (folder / "temp").mkdir(parents=True)
    for name in ROOMS:
        (folder / name).mkdir()
        text = f"raise ImportError('{name} of the repository that is checked')\n"
        (folder / name / "__init__.py").write_text(text, encoding="utf-8")
    defaults = {name: str(given.get("default", "")) for name, given in ACTION["inputs"].items()}
    return Runner(folder, defaults | inputs)
