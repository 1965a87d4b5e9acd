"""A published ensemble as a folder: what its manifest names, with the content that it names, and nothing else.

Every file is read once, held against the manifest's hash, and used as it was read: a file that the manifest does not
name, a link, or one that changes afterwards is never opened by what loads models.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import DataError
from .output import MODEL_FORMAT

MANIFEST_FORMAT = 1
#: Kinds of models that predict knows. A member that is called after a kind is of that kind.
MEMBER_KINDS = ("text", "image")
COMBINER_KIND = "sequence"
#: The folder of pages that a member of a kind reads.
_FOLDERS = {"text": "text", "image": "images"}
_HASH = re.compile(r"[0-9a-f]{64}")
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_FOLD = re.compile(r"fold-[0-9]{1,3}/model\.json")


@dataclass(frozen=True)
class Model:
    """One trained part: what its model.json says, and the content of the file that it names."""

    #: Of messages: `image/fold-1`.
    place: str
    description: Mapping[str, Any]
    content: bytes

    @property
    def kind(self) -> str:
        return str(self.description["kind"])

    @property
    def classes(self) -> list[str]:
        return list(self.description["classes"])


@dataclass(frozen=True)
class Published:
    """The models of a published ensemble, by member; several of one that was trained in folds."""

    members: Mapping[str, list[Model]]
    combiner: Model

    @property
    def folders(self) -> list[str]:
        """The folders of pages that the members read."""
        kinds = {model.kind for models in self.members.values() for model in models}
        return [folder for kind, folder in _FOLDERS.items() if kind in kinds]


def read_published(folder: Path) -> Published:
    """@raises DataError where anything is missing, changed, or not of the form that the publish step writes."""
    manifest = _object_of(_manifest(folder), "manifest.json")
    if manifest.get("format") != MANIFEST_FORMAT:
        raise DataError(f"manifest.json: format is {manifest.get('format')!r}, this program reads {MANIFEST_FORMAT}")
    members, combiner = manifest.get("members"), manifest.get("combiner")
    if not isinstance(members, dict) or not members or not isinstance(combiner, dict):
        raise DataError("manifest.json: expected members and a combiner")
    parts = {name: _models(folder, name, entry, MEMBER_KINDS) for name, entry in members.items()}
    last = _models(folder, str(combiner.get("name", COMBINER_KIND)), combiner, (COMBINER_KIND,))
    if len(last) != 1:
        raise DataError("manifest.json: expected one model of the combiner")
    return Published(parts, last[0])


def _manifest(folder: Path) -> bytes:
    try:
        return (folder / "manifest.json").read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"{folder.name}/manifest.json: missing; expected a folder that the publish step has finished"
        ) from None


def _object_of(content: bytes, name: str) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError:
        raise DataError(f"{name}: not JSON") from None
    if not isinstance(value, dict):
        raise DataError(f"{name}: expected a JSON object")
    return value


def _models(folder: Path, name: str, entry: object, kinds: tuple[str, ...]) -> list[Model]:
    if not _PART.fullmatch(name) or not isinstance(entry, dict):
        raise DataError(f"manifest.json: member {name[:70]!r}: expected a plain name and an object")
    path = entry.get("path", name)
    if not isinstance(path, str) or not _PART.fullmatch(path.removesuffix("/")):
        raise DataError(f"manifest.json: path of {name} is {path!r}, expected the name of a folder beside the manifest")
    files = entry.get("files")
    if not isinstance(files, dict) or not files:
        raise DataError(
            f"manifest.json: {name} has no files; expected the SHA-256 of each, as the publish step writes it"
        )
    source = _Source(folder / path.removesuffix("/"), name, files)
    descriptions = ["model.json"] if "model.json" in files else sorted(file for file in files if _FOLD.fullmatch(file))
    if not descriptions:
        raise DataError(f"{name}: the manifest names no model.json, and no fold-<k>/model.json")
    allowed = (name,) if name in kinds else kinds
    declared = entry.get("kind")
    if isinstance(declared, str):
        allowed = tuple(kind for kind in allowed if kind == declared)
    return [_model(source, file, allowed) for file in descriptions]


@dataclass(frozen=True)
class _Source:
    folder: Path
    name: str
    files: Mapping[str, Any]

    def read(self, relative: str) -> bytes:
        """A file's content, if the manifest names it and it is what was published."""
        expected = self.files.get(relative)
        if not isinstance(expected, str) or not _HASH.fullmatch(expected):
            raise DataError(f"{self.name}/{relative}: not a file that the manifest names with its SHA-256")
        if not all(_PART.fullmatch(part) for part in relative.split("/")):
            raise DataError(f"{self.name}/{relative}: expected plain names below the member's folder")
        path = self.folder / relative
        between = [path, *(parent for parent in path.parents if parent.is_relative_to(self.folder))]
        if any(place.is_symlink() for place in between):
            raise DataError(f"{self.name}/{relative}: is a link; expected the file that was published")
        if not path.is_file():
            raise DataError(f"{self.name}/{relative}: missing")
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != expected:
            raise DataError(f"{self.name}/{relative}: content differs from what was published")
        return content


def _model(source: _Source, file: str, kinds: tuple[str, ...]) -> Model:
    place = f"{source.name}/{file}"
    description = _object_of(source.read(file), place)
    if description.get("format") != MODEL_FORMAT:
        raise DataError(
            f"{place}: format is {description.get('format')!r}, this program reads {MODEL_FORMAT}; "
            "train and publish again"
        )
    if description.get("kind") not in kinds:
        expected = " or ".join(kinds) or "the kind that the manifest names"
        raise DataError(f"{place}: kind is {description.get('kind')!r}, expected {expected}")
    classes, named = description.get("classes"), description.get("file")
    if not isinstance(classes, list) or not classes or not all(isinstance(name, str) for name in classes):
        raise DataError(f"{place}: expected a list of classes")
    if not isinstance(named, str) or not _PART.fullmatch(named):
        raise DataError(f"{place}: file is {named!r}, expected the name of a file beside it")
    folder = file.rpartition("/")[0]
    return Model(place.removesuffix("/model.json"), description, source.read(f"{folder}/{named}" if folder else named))
