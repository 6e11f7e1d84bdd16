"""Atomic writes, temporary folders, checksums, archives and locks. Knows no file format.

The public names are those imported here; `archives` has `unpack`.
"""

from domain_ner.files.atomic import atomic_path, together, write_text
from domain_ner.files.checksums import CHUNK_BYTES, SEAL, find_damage, seal, sha256, sha256_of_folder
from domain_ner.files.disk_list import DiskList, DiskSelection, Pickled
from domain_ner.files.folders import discard, link_folder, remove_made, remove_within, require_replaceable
from domain_ner.files.locks import cannot_write, hold_lock, require_free
from domain_ner.files.syncing import is_disk_error, make_folder, sync
from domain_ner.files.temporary import scratch_folder, sweep

__all__ = [
    "CHUNK_BYTES", "SEAL", "DiskList", "DiskSelection", "Pickled", "atomic_path", "cannot_write", "discard",
    "find_damage", "hold_lock", "is_disk_error", "link_folder", "make_folder", "remove_made", "remove_within",
    "require_free", "require_replaceable", "scratch_folder", "seal", "sha256", "sha256_of_folder", "sweep", "sync",
    "together", "write_text",
]  # fmt: skip
