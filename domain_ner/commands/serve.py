"""Implements `serve`: a pipeline over HTTP, with a page to try it on. Further settings are environment variables."""

import os

import typer

from domain_ner.commands.console import say, warn
from domain_ner.serving.settings import PREFIX, ServiceSettings


def main(
    pipeline: str = typer.Argument(
        ..., envvar=f"{PREFIX}PIPELINE", help="The pipeline: an installed package, or a folder."
    ),
    host: str = typer.Option("127.0.0.1", envvar=f"{PREFIX}HOST", help="Address to listen on; 0.0.0.0 for all."),
    port: int = typer.Option(8000, envvar=f"{PREFIX}PORT", min=0, max=65535, help="Port; 0: one that is free."),
    workers: int = typer.Option(
        1, envvar=f"{PREFIX}WORKERS", min=0, help="Processes that predict; 0: the service does."
    ),
    threads: int = typer.Option(
        0, envvar=f"{PREFIX}THREADS", min=0, help="Threads of each process. 0: the processors, shared out between them."
    ),
    shadow: str = typer.Option(
        "",
        envvar=f"{PREFIX}SHADOW",
        help="A second pipeline for the same texts; it answers none, differences are counted.",
    ),
) -> None:
    """Serve a pipeline over HTTP: an API, a page to try it on, metrics, and Label Studio's protocol."""
    from domain_ner.serving.run import serve, stop_while_loading, url_of

    options = {"PIPELINE": pipeline, "HOST": host, "PORT": port, "WORKERS": workers, "THREADS": threads}
    given = {PREFIX + name: str(value) for name, value in {**options, "SHADOW": shadow}.items()}
    settings = ServiceSettings.from_environment({**os.environ, **given})
    stop_while_loading()
    if not settings.is_local and not settings.api_keys:
        warn(f"Anybody who reaches {host}:{port} may use it. Set {PREFIX}API_KEYS.")
    serve(settings, on_start=lambda settings: say(url_of(settings)))
