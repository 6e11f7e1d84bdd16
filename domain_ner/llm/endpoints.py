"""Where an OpenAI-compatible server is, and which key it gets. Keys come from the environment alone."""

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from domain_ner.errors import DomainNerError

CHAT = "/chat/completions"
VERSION = "/v1"
OWN_KEY, COMMON_KEY = "DOMAIN_NER_LLM_KEY", "OPENAI_API_KEY"
EXAMPLE = "Give one like http://127.0.0.1:8000/v1 or https://api.example.org/v1."


def chat_url(url: str) -> str:
    """Complete the URL of a server to that of its chat completions.

    url: of the server (`http://host:8000`), of its API (`…/v1`), or of the chat completions themselves. Without a path,
    `/v1` is added. A query string is kept.
    Raises DomainNerError for what is no http(s) URL, and for a URL that holds a user name or a password.
    """
    try:
        parts = urlsplit(url.strip())
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_url = False
    if not is_url:
        raise DomainNerError("--llm is no URL of a server.", EXAMPLE)
    if "@" in parts.netloc:
        raise DomainNerError("The URL of --llm holds a user name or a password.", f"Put the key into {OWN_KEY}.")
    path = parts.path.rstrip("/")
    if not path.endswith(CHAT):
        path = (path or VERSION) + CHAT
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def shown(url: str) -> str:
    """A URL as messages and records may have it: without its query, which may hold a key."""
    return urlunsplit((*urlsplit(url)[:3], "", ""))


def is_local(url: str) -> bool:
    """Whether a URL names this machine: `localhost`, or an address of the loopback."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def find_key(url: str, environment: Mapping[str, str] = os.environ) -> str:
    """Find the key for a server: DOMAIN_NER_LLM_KEY, else OPENAI_API_KEY; empty if there is none.

    OPENAI_API_KEY is not sent to a server on this machine, which needs none.
    Raises DomainNerError for a key that no header can hold; the message does not quote it.
    """
    key = environment.get(OWN_KEY, "") or ("" if is_local(url) else environment.get(COMMON_KEY, ""))
    key = key.strip()
    if not (key.isascii() and key.isprintable()):
        raise DomainNerError(
            "The key in the environment holds characters that a header cannot.", f"Set {OWN_KEY} anew."
        )
    return key
