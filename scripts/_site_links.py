"""A hook of MkDocs: links from docs/ to other files of the repository, which the site does not hold, become text.

In a viewer of the repository they lead to the file. A link to a file that is not there stays, and stops a strict build.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#\s]+)(?:#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """Replace them in a page."""
    root = Path(config["config_file_path"]).parent
    folder = posixpath.join(Path(config["docs_dir"]).name, posixpath.dirname(page.file.src_uri))
    return replace_links(markdown, root, folder)


def replace_links(markdown: str, root: Path, folder: str) -> str:
    """Name the files of the repository instead of linking them.

    root: of the repository. folder: of the page, from there.
    """
    docs = folder.split("/", maxsplit=1)[0]

    def replace(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, link[2]))
        if path.startswith(("..", f"{docs}/")) or not (root / path).exists():
            return link[0]
        return link[1] if path in link[1] else f"{link[1]} (`{path}`)"

    return LINK.sub(replace, markdown)
