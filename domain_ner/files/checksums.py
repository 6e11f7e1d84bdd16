"""Computes checksums of files and folders, and detects damage in folders that were sealed with them."""

import hashlib
import json
from pathlib import Path

CHUNK_BYTES = 1 << 20
SEAL = "checksums.json"


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_of_folder(folder: Path) -> str:
    """Compute a SHA-256 over the names and bytes of all files in a folder and its subfolders."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    listing = "".join(f"{path.relative_to(folder).as_posix()} {sha256(path)}\n" for path in files)
    return hashlib.sha256(listing.encode()).hexdigest()


def seal(folder: Path) -> None:
    """Write the checksums of all files of a folder into it, where `find_damage` reads them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    checksums = {path.relative_to(folder).as_posix(): sha256(path) for path in files}
    (folder / SEAL).write_text(json.dumps(checksums, indent=1) + "\n", encoding="utf8")


def find_damage(folder: Path) -> str:
    """Describe the first damage in a sealed folder: a file that is missing, empty or changed. Empty if none is."""
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
        return f"cannot read {SEAL} ({type(err).__name__})" if not isinstance(err, OSError) else str(err)
    return ""
