"""Scenario files and traces of this machine, sent along as text: a server reads no files for its clients."""

from __future__ import annotations

import gzip
import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["algorithms_of", "with_files"]

_SCENARIO_FILE = re.compile(r"\.(ya?ml|json)$", re.IGNORECASE)
_ABSOLUTE = re.compile(r"([A-Za-z]:)?/")
# `extends: base.yaml`, `file: "a.down"`, `{ "trace": "x" }`: what a text may name; it is sent only where it is there
_REFERENCE = re.compile(r"""\b(?:extends|file|trace)["']?\s*:\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s,}\]#"']+))""")
# `algorithm: ./mine.js:gain=2`
_ALGORITHM = re.compile(r"""\balgorithm["']?\s*:\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s,}\]#"']+))""")
_GZIP = b"\x1f\x8b"


def _text_of(path: str) -> str | None:
    """None: no such file, so it may be a name that the server knows."""
    try:
        content = Path(path).read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    if content.startswith(_GZIP):
        content = gzip.decompress(content)
    return content.decode("utf-8", errors="replace")


def _below(folder: str, name: str) -> str:
    """Where a name means from a folder, as the server sees it; a word alone is a trace's name."""
    name = name.replace("\\", "/")
    is_path = any(mark in name for mark in "./")
    return posixpath.normpath(name if _ABSOLUTE.match(name) or not is_path else posixpath.join(folder, name))


def _references(value: Any) -> Iterator[str]:
    """Names of files in a scenario as an object."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("extends", "file", "trace") and isinstance(inner, str):
                yield inner
            elif key != "files":
                yield from _references(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _references(inner)


def algorithms_of(scenario: Any) -> Iterator[str]:
    """Names and paths of algorithms, without parameters, in a scenario as `with_files` sends it."""
    if isinstance(scenario, Mapping):
        for key, inner in scenario.items():
            if key == "algorithm" and isinstance(inner, str):
                yield _without_parameters(inner)
            elif key == "files" and isinstance(inner, Mapping):
                for text in inner.values():
                    found = (next(filter(None, match.groups()), "") for match in _ALGORITHM.finditer(text))
                    yield from map(_without_parameters, found)
            else:
                yield from algorithms_of(inner)
    elif isinstance(scenario, Sequence) and not isinstance(scenario, str):
        for inner in scenario:
            yield from algorithms_of(inner)


def _without_parameters(algorithm: str) -> str:
    return re.sub(r":[^\\/:]*=.*$", "", algorithm)


def _collect(names: Iterator[str], folder: str, into: dict[str, str]) -> None:
    for name in names:
        path = _below(folder, name)
        text = None if path in into else _text_of(path)
        if text is None:
            continue
        into[path] = text
        if _SCENARIO_FILE.search(path):
            found = (next(filter(None, match.groups()), "") for match in _REFERENCE.finditer(text))
            _collect(filter(None, found), posixpath.dirname(path), into)


def _paths_as_text(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {key: _paths_as_text(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_paths_as_text(inner) for inner in value]
    return value


def with_files(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options whose scenario has the text of every file that `scenario`, `trace`, `extends` and `file` name.

    Args:
        options: with `scenario` and `trace`, a name or a path each, or a scenario as an object

    Raises:
        FileNotFoundError: no such scenario file.
    """
    scenario, trace = (_paths_as_text(options.get(name)) for name in ("scenario", "trace"))
    files: dict[str, str] = {}
    named = [name for name in (scenario, trace) if isinstance(name, str)]
    _collect(iter(named), "", files)
    if isinstance(scenario, Mapping):
        _collect(_references(scenario), "", files)
    if isinstance(scenario, str) and _SCENARIO_FILE.search(scenario) and _below("", scenario) not in files:
        raise FileNotFoundError(f"scenario: got {scenario!r}, expected a file that is there, or the name of a preset")
    sent = dict(options)
    for name, value in (("scenario", scenario), ("trace", trace)):
        if value is not None:
            sent[name] = value
    if not files:
        return sent
    if isinstance(trace, str) and _below("", trace) in files:
        sent["trace"] = _below("", trace)
    own = scenario if isinstance(scenario, Mapping) else {} if scenario is None else {"extends": scenario}
    sent["scenario"] = {**own, "files": {**files, **own.get("files", {})}}
    return sent
