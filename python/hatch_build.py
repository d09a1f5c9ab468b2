"""Puts the server into the wheel, and into the source distribution, from which a wheel can be built anywhere.

Needs node and npm. An editable install has no server inside: it uses `dist/` of the clone.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ServerBuildHook(BuildHookInterface):  # type: ignore[misc]  # hatchling is not typed
    """`ccpark/_server` of the distribution."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bundles the server, unless it is here already; by `force_include`, as .gitignore names some of it."""
        here = Path(self.root)
        if version == "editable":
            return
        unpacked = here / "ccpark" / "_server"  # in a source distribution
        if unpacked.is_dir():
            build_data["force_include"][str(unpacked)] = "ccpark/_server"
            return
        clone = here.parent
        if not (clone / "package.json").is_file():
            raise RuntimeError(f"the server is built from the clone: {clone / 'package.json'} does not exist")
        node, npm = (_program(name) for name in ("node", "npm"))
        if not (clone / "node_modules" / "esbuild").is_dir():
            # scripts are not needed for a bundle, and one of them would build the clone
            subprocess.run(
                [npm, "ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund"],
                cwd=clone,
                check=True,
            )
        self._folder = tempfile.mkdtemp(prefix="ccpark-server-")
        subprocess.run([node, str(here / "bundle-server.mjs"), self._folder], check=True)
        build_data["force_include"][self._folder] = "ccpark/_server"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Removes what `initialize` made."""
        folder = getattr(self, "_folder", None)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise RuntimeError(f"`{name}` is not on the PATH: install Node 20.19 or newer")
    return path
