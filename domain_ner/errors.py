"""The one error that is meant for users: what came, what was expected, what to do next."""

from collections.abc import Sequence

MAX_LISTED = 20


class DomainNerError(Exception):
    """A problem that the user can mend.

    message: what came and what was expected.
    fix: what to do next; empty when the message says it.
    """

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(f"{message}\n{fix}" if fix else message)
        self.message = message
        self.fix = fix


def raise_for(problems: Sequence[str], *, summary: str, fix: str) -> None:
    """Raise one error that lists `problems`, or return when there are none.

    problems: one line each, `file:line: what came, what was expected`.
    summary: the first line; `{n}` is replaced by the number of problems.
    fix: what to do next.
    Raises DomainNerError naming the first 20 problems and counting the rest.
    """
    if not problems:
        return
    listed = [f"  {problem}" for problem in problems[:MAX_LISTED]]
    if len(problems) > MAX_LISTED:
        listed.append(f"  … and {len(problems) - MAX_LISTED} more")
    raise DomainNerError("\n".join([summary.format(n=len(problems)), *listed]), fix)
