"""Checksums of files and folders, and folders that are sealed with them."""

import hashlib
import json
from pathlib import Path

CHUNK_BYTES = 1 << 20
SEAL = "checksums.json"


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_of_folder(folder: Path) -> str:
    """A SHA-256 of the names and the bytes of all files in a folder, those in its folders included."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    told = "".join(f"{path.relative_to(folder).as_posix()} {sha256(path)}\n" for path in files)
    return hashlib.sha256(told.encode()).hexdigest()


def seal(folder: Path) -> None:
    """Write the checksums of all files of a folder into it, for `find_damage`."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    checksums = {path.relative_to(folder).as_posix(): sha256(path) for path in files}
    (folder / SEAL).write_text(json.dumps(checksums, indent=1) + "\n", encoding="utf8")


def find_damage(folder: Path) -> str:
    """What is wrong with a sealed folder: a file that is missing, empty or of other bytes. Empty: nothing."""
    try:
        checksums = json.loads((folder / SEAL).read_text(encoding="utf8"))
        for name, checksum in checksums.items():
            path = folder / name
            if not path.is_file():
                return f"{name} is missing"
            if sha256(path) != checksum:
                return f"{name} holds other bytes than were written" if path.stat().st_size else f"{name} is empty"
    except FileNotFoundError:
        return f"{SEAL} is missing"
    except (OSError, ValueError, AttributeError) as err:
        return f"{SEAL} cannot be read ({type(err).__name__})" if not isinstance(err, OSError) else str(err)
    return ""
