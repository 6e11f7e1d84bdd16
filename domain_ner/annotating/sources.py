"""Finds the inputs to annotate: files, folders, globs and URLs, each of a known format."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import IO, Any

from domain_ner.errors import DomainNerError

JSONL, CSV, TSV, PARQUET, TEXT, LINES = "jsonl", "csv", "tsv", "parquet", "text", "lines"
SUFFIXES = {
    ".jsonl": JSONL, ".ndjson": JSONL, ".csv": CSV, ".tsv": TSV, ".parquet": PARQUET, ".pq": PARQUET, ".txt": TEXT,
}  # fmt: skip
COMPRESSED = ".gz"
REMOTE = "://"


@dataclass(frozen=True)
class Source:
    """An input file. url: path or URL, as it was found. kind: its format. stamp: changes when its content does."""

    url: str
    kind: str
    stamp: str


def find_sources(inputs: Sequence[str], *, lines: bool = False, output: Path | None = None) -> list[Source]:
    """List the files of the inputs in a fixed order, each once.

    inputs: files, folders (all files of a known format in them), globs, and URLs that fsspec opens.
    lines: each line of a `.txt` file is a document; else the whole file is one.
    output: a folder for results, whose files are never inputs.
    Raises DomainNerError for an input that does not exist, holds nothing, or is of no known format.
    """
    found: dict[str, Source] = {}
    for given in inputs:
        every = list(_files(given))
        if not every:
            raise DomainNerError(f"{given}: there is nothing to annotate here; expected {_expected()}.")
        files = [file for file in every if output is None or not _is_within(file[0], output)]
        if not files:
            raise DomainNerError(
                f"{given} is within {output}, the folder for the output, which is never read.",
                "Give another folder for the output.",
            )
        for url, stamp in files:
            kind = kind_of(url, lines=lines)
            found.setdefault(url, Source(url, kind, stamp))
    return list(found.values())


def kind_of(url: str, *, lines: bool = False) -> str:
    """The format of a file by its name. Raises DomainNerError for any other."""
    kind = SUFFIXES.get(_suffix(url), "")
    if not kind or (kind in (PARQUET, TEXT) and url.lower().endswith(COMPRESSED) and not lines):
        raise DomainNerError(f"{url}: unknown format; expected {_expected()}.", "Rename or convert it.")
    return LINES if kind == TEXT and lines else kind


def open_source(url: str) -> IO[bytes]:
    """Open a file for reading bytes, decompressed if its name ends with `.gz`."""
    is_packed = url.lower().endswith(COMPRESSED)
    if REMOTE in url:
        with remote_errors(url):
            filesystem, path = filesystem_of(url)
            stream: IO[bytes] = filesystem.open(path, "rb", compression="gzip" if is_packed else None)
            return stream
    if is_packed:
        import gzip  # noqa: PLC0415 (rarely needed)

        return gzip.open(url, "rb")  # type: ignore[return-value]
    return Path(url).open("rb")


def stamp_of(url: str) -> str:
    """A short text that changes when a file does: size and time of its last change, or the store's own tag."""
    if REMOTE not in url:
        stat = Path(url).stat()
        return f"{stat.st_size}-{stat.st_mtime_ns}"
    with remote_errors(url):
        filesystem, path = filesystem_of(url)
        return _stamp_of_info(filesystem.info(path))


@contextmanager
def remote_errors(place: str) -> Iterator[None]:
    """Make errors of a file system those of a user. Besides OSError, each store's library has errors of its own."""
    try:
        yield
    except DomainNerError:
        raise
    except ImportError as err:
        raise DomainNerError(f"{place} needs a package that is not installed: {err}", "Install it with pip.") from err
    except Exception as err:
        raise DomainNerError(f"{place}: {type(err).__name__}: {err}", "Check the address and the credentials.") from err


def _suffix(url: str) -> str:
    path = Path(url.lower().removesuffix(COMPRESSED))
    return path.suffix


def _expected() -> str:
    return f"files that end with {', '.join(SUFFIXES)} (all but Parquet also with {COMPRESSED}), or folders of them"


def _files(given: str) -> Iterator[tuple[str, str]]:
    return _remote(given) if REMOTE in given else _local(given)


def _is_within(url: str, folder: Path) -> bool:
    return REMOTE not in url and folder.resolve() in Path(url).resolve().parents


def _local(given: str) -> Iterator[tuple[str, str]]:
    paths: Iterable[Path] = [Path(given)]
    if not Path(given).exists() and has_magic(given):
        paths = map(Path, sorted(glob(given, recursive=True)))  # noqa: PTH207 (absolute ones too)
    for path in paths:
        if path.is_dir():
            yield from ((str(file), stamp_of(str(file))) for file in sorted(path.rglob("*")) if _is_readable(file))
        elif path.exists():
            yield str(path), stamp_of(str(path))
        else:
            raise DomainNerError(f"{given}: no such file or folder.")


def _is_readable(path: Path) -> bool:
    return path.is_file() and _suffix(path.name) in SUFFIXES and not path.name.startswith(".")


def _remote(given: str) -> Iterator[tuple[str, str]]:
    with remote_errors(given), suppress(FileNotFoundError):
        filesystem, path = filesystem_of(given)
        paths = [path]
        if has_magic(path):
            paths = filesystem.glob(path)
        elif filesystem.isdir(path):
            paths = [name for name in filesystem.find(path) if _suffix(name) in SUFFIXES]
        for name in sorted(paths):
            yield filesystem.unstrip_protocol(name), _stamp_of_info(filesystem.info(name))


def _stamp_of_info(info: dict[str, Any]) -> str:
    named = (info.get(key) for key in ("ETag", "etag", "md5Hash", "content_md5", "mtime", "LastModified", "created"))
    return f"{info.get('size')}-{next((str(value) for value in named if value), '')}"


def filesystem_of(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it. Errors are those of its library: see `remote_errors`."""
    import fsspec  # noqa: PLC0415 (not everywhere installed)

    return fsspec.core.url_to_fs(url)  # type: ignore[no-any-return]
