"""A budget in calls, tokens and money that cannot be passed: the worst case of a call is reserved before it is made."""

import threading
from dataclasses import dataclass, field

MILLION = 1_000_000


@dataclass(frozen=True)
class Prices:
    """Money for a million tokens, in any currency. prompt: of what is sent. answer: of what comes back."""

    prompt: float = 0.0
    answer: float = 0.0

    def of(self, tokens: "Tokens") -> float:
        """The money for tokens."""
        return (tokens.prompt * self.prompt + tokens.answer * self.answer) / MILLION


@dataclass(frozen=True)
class Tokens:
    """Numbers of tokens. prompt: of what is sent. answer: of what comes back."""

    prompt: int = 0
    answer: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.prompt + other.prompt, self.answer + other.answer)

    @property
    def total(self) -> int:
        """Both together."""
        return self.prompt + self.answer


@dataclass(frozen=True)
class Limits:
    """What must not be passed; None: no limit. tokens: sent and received together. money: in the prices' currency."""

    calls: int | None = None
    tokens: int | None = None
    money: float | None = None


@dataclass
class Budget:
    """Counts calls, tokens and money of several threads against limits.

    A reservation counts as spent until it is settled. If a server reports more tokens than were reserved, later
    reservations are larger by that much.
    """

    limits: Limits = field(default_factory=Limits)
    prices: Prices = field(default_factory=Prices)

    def __post_init__(self) -> None:
        self._settled = threading.Condition()
        self._calls, self._spent, self._reserved, self._extra = 0, Tokens(), Tokens(), Tokens()

    @property
    def calls(self) -> int:
        """Calls that were made, repetitions included."""
        return self._calls

    @property
    def spent(self) -> Tokens:
        """Tokens that are settled: as the server counts them, or the worst case where it does not say."""
        return self._spent

    @property
    def money(self) -> float:
        """Money for what is settled."""
        return self.prices.of(self._spent)

    def reserve(self, worst: Tokens, *, waits: bool = True) -> Tokens | None:
        """Reserve a call and the most tokens that it can need.

        waits: for calls of other threads to be settled, if what they do not use may be enough.
        Returns what was reserved; None if it does not fit.
        """
        with self._settled:
            while True:
                wanted = worst + self._extra
                if _passes(self._calls + 1, self.limits.calls) or not self._fits(self._spent + wanted):
                    return None
                if self._fits(self._spent + self._reserved + wanted):
                    self._calls += 1
                    self._reserved += wanted
                    return wanted
                if not waits:
                    return None
                self._settled.wait()

    def settle(self, reserved: Tokens, used: Tokens | None) -> None:
        """Replace a reservation by what the call used. used: None if nobody knows: the reservation is then spent."""
        with self._settled:
            self._settled.notify_all()
            self._reserved += Tokens(-reserved.prompt, -reserved.answer)
            self._spent += reserved if used is None else used
            if used is not None:
                self._extra += Tokens(max(0, used.prompt - reserved.prompt), max(0, used.answer - reserved.answer))

    def _fits(self, after: Tokens) -> bool:
        return not (_passes(after.total, self.limits.tokens) or _passes(self.prices.of(after), self.limits.money))


def _passes(value: float, limit: float | None) -> bool:
    return limit is not None and value > limit
