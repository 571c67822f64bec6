"""What can go wrong on a simulated I2C bus and in its chips, and when: by transaction number, by probability, at once."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np

from thermo_core.errors import UsageError


class FaultKind(Enum):
    """A kind of fault; the value is its name in a specification, and `ABOUT` says what happens."""

    NACK = "nack"
    STUCK = "stuck"
    FLIP = "flip"
    SHORT = "short"
    ONES = "ones"
    ZEROS = "zeros"
    UNPLUG = "unplug"
    DELAY = "delay"
    STALE = "stale"
    AUXILIARY = "aux"
    EEPROM = "eeprom"
    FREEZE = "freeze"
    CHECKSUM = "checksum"
    BROWNOUT = "brownout"
    OVERFLOW = "overflow"
    TORN = "torn"
    INTERRUPT = "interrupt"
    LEFTOPEN = "leftopen"
    DRIFT = "drift"
    CONTACT = "contact"
    AMBIENT = "ambient"


ABOUT: Mapping[str, Mapping[FaultKind, str]] = {
    "on the bus": {
        FaultKind.NACK: "nobody acknowledges this transaction (EREMOTEIO)",
        FaultKind.STUCK: (
            "SDA is held low from this transaction on (ETIMEDOUT), until nine clocks free it; with addr by that chip, which blocks the "
            "bus only where the channels on its way are open, and with permanent whatever is clocked"
        ),
        FaultKind.FLIP: "bits of the data read in this transaction are inverted; no error is reported",
        FaultKind.SHORT: (
            "a read of this transaction ends early (EIO, as the kernel's bcm2835 driver says; the buffer stays untouched)"
        ),
        FaultKind.ONES: "all data read in this transaction are 0xFF, as without a pull-up or a supply",
        FaultKind.ZEROS: "all data read in this transaction are 0x00",
        FaultKind.UNPLUG: "the chip loses power for the duration and comes back with its power-on defaults",
        FaultKind.DELAY: (
            "the host is held up for the duration before this transaction, so that data are overwritten meanwhile"
        ),
    },
    "in a chip": {
        FaultKind.STALE: "a camera raises its new-data flag once more over the page it has already shown",
        FaultKind.AUXILIARY: (
            "an auxiliary word of a camera that drivers need reads 0x7FFF until its subpage is measured again"
        ),
        FaultKind.EEPROM: "bits of the next EEPROM read are inverted; with permanent, the cells themselves change",
        FaultKind.FREEZE: "readings keep their value while flags and counters go on, for the duration or for good",
        FaultKind.CHECKSUM: "one bit of the next check byte (PEC, CRC) is wrong",
        FaultKind.BROWNOUT: (
            "the supply dips: registers are back at their reset, and status bits say so where a chip has them"
        ),
        FaultKind.OVERFLOW: "the FIFO fills as if nobody had read it for long; what came meanwhile is lost",
        FaultKind.TORN: "the next sample read has bytes of two",
        FaultKind.INTERRUPT: "the interrupt line is stuck at active for the duration or for good",
        FaultKind.LEFTOPEN: "a channel of a multiplexer is open, as one is that a reset of the host left so",
    },
    "in front of a thermometer or light sensor": {
        FaultKind.DRIFT: "it drifts by so many kelvin an hour from now on",
        FaultKind.CONTACT: (
            "it loses touch with skin for the duration or for good: readings go to those of air with the time constant"
        ),
        FaultKind.AMBIENT: (
            "the air changes by so many kelvin with the time constant, for the duration or for good, as when a jacket is opened"
        ),
    },
}
"""What happens, by where."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and when it strikes.

    Attributes:
        kind: what happens.
        at: transaction number at which it starts, counted from 0 on the bus; None means the next one, or any where
            `probability` is set.
        relative: count `at` from the transaction that follows the moment of adding it.
        count: how many consecutive transactions it strikes.
        probability: chance a transaction; 0 means by schedule.
        address: strike only this 7-bit address; None for all.
        channel: strike only behind this channel of a multiplexer, or this channel of one; None for all.
        duration_us: how long it lasts; None for good.
        bits: how many bits flip.
        permanent: EEPROM cells change for good; SDA stays low.
        by: kelvin, or kelvin an hour.
        tau_s: time constant, s.
    """

    kind: FaultKind
    at: int | None = None
    relative: bool = False
    count: int = 1
    probability: float = 0.0
    address: int | None = None
    channel: int | None = None
    duration_us: int | None = 1_000_000
    bits: int = 1
    permanent: bool = False
    by: float = 0.0
    tau_s: float = 0.0


_TOKEN = re.compile(
    r"(?P<kind>[a-z]+)(?:@(?P<relative>\+?)(?P<at>\d+))?(?:x(?P<count>\d+))?"
    r"(?:\+(?P<duration>\d+(?:\.\d+)?)(?P<unit>us|ms|s))?(?P<options>(?::[a-z]+(?:=[^:]*)?)*)"
)
_UNIT_US = {"us": 1, "ms": 1_000, "s": 1_000_000}
_KINDS = {kind.value: kind for kind in FaultKind}
_MOMENTARY = frozenset({FaultKind.UNPLUG, FaultKind.DELAY})
"""Faults that last a second where no duration is given."""
_LASTING = frozenset({FaultKind.FREEZE, FaultKind.INTERRUPT, FaultKind.CONTACT, FaultKind.AMBIENT, FaultKind.DRIFT})
"""Faults that last for good where no duration is given."""
_TAKES: Mapping[str, frozenset[FaultKind]] = {
    "p": frozenset(FaultKind),
    "addr": frozenset(FaultKind),
    "ch": frozenset(FaultKind) - {FaultKind.NACK, FaultKind.FLIP, FaultKind.SHORT, FaultKind.DELAY},
    "bits": frozenset({FaultKind.FLIP, FaultKind.EEPROM}),
    "permanent": frozenset({FaultKind.EEPROM, FaultKind.STUCK}),
    "by": frozenset({FaultKind.DRIFT, FaultKind.AMBIENT}),
    "tau": frozenset({FaultKind.CONTACT, FaultKind.AMBIENT}),
}
"""Options, and the kinds that take them."""
_NEEDS: Mapping[FaultKind, str] = {FaultKind.DRIFT: "by", FaultKind.AMBIENT: "by", FaultKind.LEFTOPEN: "ch"}

OPTIONS = (
    "keys: p (chance a transaction), addr (7-bit address of a chip), ch (channel of a multiplexer), bits (to flip), permanent, "
    "by (kelvin, or kelvin an hour), tau (time constant, s)"
)
OVERVIEW = f"kinds: {', '.join(_KINDS)}; see thermo-sim faults\n\n{OPTIONS}"
"""Kinds and keys as a help text has them."""


def parse_faults(specification: str) -> tuple[Fault, ...]:
    """Read a fault specification, for example ``nack@120,stuck:p=0.001,unplug@300+2s``.

    A specification is a list of faults, separated by commas. A fault is
    ``KIND[@[+]N][xCOUNT][+DURATION][:KEY[=VALUE]]...``: the kind (a value of `FaultKind`), the transaction number (``@+N`` counts
    from now), how many transactions in a row, how long (us, ms or s; 1 s where omitted for unplug and delay, for good for
    the others that last), and the keys ``p`` (probability a transaction), ``addr`` (only this chip), ``ch`` (only behind this
    channel of a multiplexer), ``bits`` (how many flip), ``permanent``, ``by`` (kelvin, or kelvin an hour) and ``tau`` (time
    constant, s). With neither ``@`` nor ``p`` it strikes the next transaction.

    Raises:
        UsageError: the specification does not parse; the message names the part.
    """
    return tuple(_parse_one(token.strip()) for token in specification.split(",") if token.strip())


def _parse_one(token: str) -> Fault:
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise UsageError(f"The fault '{token}' does not parse; write it like nack@120, stuck:p=0.001 or unplug@300+2s.")
    kind = _KINDS.get(match["kind"])
    if kind is None:
        raise UsageError(f"The fault '{token}' has the unknown kind '{match['kind']}'; use one of {', '.join(_KINDS)}.")
    fault = Fault(kind, at=None if match["at"] is None else int(match["at"]), relative=bool(match["relative"]))
    if match["count"] is not None:
        fault = replace(fault, count=_positive(token, "count", match["count"]))
    if match["duration"] is not None:
        if kind not in _MOMENTARY | _LASTING - {FaultKind.DRIFT}:
            lasting = ", ".join(one.value for one in FaultKind if one in _MOMENTARY | _LASTING - {FaultKind.DRIFT})
            raise UsageError(f"The fault '{token}' has a duration, which only {lasting} take; remove it.")
        fault = replace(fault, duration_us=round(float(match["duration"]) * _UNIT_US[match["unit"]]))
    elif kind in _LASTING:
        fault = replace(fault, duration_us=None)
    given = [option.partition("=")[::2] for option in filter(None, match["options"].split(":"))]
    for key, value in given:
        fault = _with_option(token, fault, key, value)
    needed = _NEEDS.get(kind)
    if needed is not None and needed not in dict(given):
        raise UsageError(f"The fault '{token}' needs the option '{needed}'; write it like {kind.value}:{needed}=2.")
    if fault.probability and fault.at is not None:
        raise UsageError(f"The fault '{token}' has both a transaction number and a probability; give one of them.")
    return fault


def _with_option(token: str, fault: Fault, key: str, value: str) -> Fault:
    takers = _TAKES.get(key)
    if takers is None or (key == "permanent" and value):
        raise UsageError(f"The fault '{token}' has the unknown option '{key}'; use {', '.join(_TAKES)}.")
    if fault.kind not in takers:
        raise UsageError(
            f"The fault '{token}' has the option '{key}', which {fault.kind.value} does not take; remove it."
        )
    changes: Mapping[str, Any] = _READ[key](token, value)
    return replace(fault, **changes)


def _read_number(
    name: str, field: str, low: float, high: float, example: str
) -> Callable[[str, str], dict[str, float]]:
    def read(token: str, text: str) -> dict[str, float]:
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise UsageError(f"The fault '{token}' has the {name} '{text}'; give {example}.")
        return {field: number}

    return read


def _read_whole(name: str, field: str, low: int, high: int, example: str) -> Callable[[str, str], dict[str, int]]:
    def read(token: str, text: str) -> dict[str, int]:
        try:
            number = int(text, 0)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise UsageError(f"The fault '{token}' has the {name} '{text}'; give {example}.")
        return {field: number}

    return read


_READ: Mapping[str, Callable[[str, str], Mapping[str, float]]] = {
    "p": _read_number("probability", "probability", 1e-12, 1, "a number above 0 and at most 1"),
    "addr": _read_whole("address", "address", 0, 0x7F, "a 7-bit address such as 0x33"),
    "ch": _read_whole("channel", "channel", 0, 7, "a channel, 0 to 7"),
    "bits": lambda token, text: {"bits": _positive(token, "bits", text)},
    "permanent": lambda token, text: {"permanent": True},
    "by": _read_number("change", "by", -100, 100, "kelvin, -100 to 100"),
    "tau": _read_number("time constant", "tau_s", 0, 3600, "seconds, 0 to 3600"),
}


def _positive(token: str, what: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"The fault '{token}' has the {what} '{text}'; give a whole number of at least 1.")
    return int(text)


class FaultPlan:
    """Faults waiting for their transaction.

    Args:
        faults: the faults, or a specification (see `parse_faults`).
        seed: of probabilities, and of where bits flip.

    Raises:
        UsageError: the specification does not parse.
    """

    def __init__(self, faults: str | Iterable[Fault] = (), seed: int = 0) -> None:
        self.rng = np.random.default_rng([seed, 0xFA17])
        self._next_transaction = 0
        self._faults: list[Fault] = []
        self.add(faults)

    def add(self, faults: str | Iterable[Fault]) -> None:
        """Add faults; relative ones and those without a time count from the transaction that comes next."""
        for fault in parse_faults(faults) if isinstance(faults, str) else faults:
            if not fault.probability and (fault.at is None or fault.relative):
                fault = replace(fault, at=self._next_transaction + (fault.at or 0), relative=False)
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget every fault that has not struck yet."""
        self._faults.clear()

    def strike(self, transaction: int, addresses: frozenset[int]) -> list[Fault]:
        """The faults that hit `transaction`, which talks to `addresses`; a scheduled one waits for its address."""
        self._next_transaction = transaction + 1
        if not self._faults:
            return []
        struck: list[Fault] = []
        kept: list[Fault] = []
        for fault in self._faults:
            concerned = fault.address is None or fault.address in addresses
            if fault.probability:
                kept.append(fault)
                if concerned and self.rng.random() < fault.probability:
                    struck.append(fault)
            elif concerned and fault.at is not None and transaction >= fault.at:
                struck.append(fault)
                if fault.count > 1:
                    kept.append(replace(fault, count=fault.count - 1))
            else:
                kept.append(fault)
        self._faults = kept
        return struck

    def flip_bits(self, data: bytes, bits: int) -> bytes:
        """`data` with `bits` different random bits inverted."""
        if not data:
            return data
        flipped = bytearray(data)
        for position in self.rng.choice(8 * len(data), size=min(bits, 8 * len(data)), replace=False):
            flipped[position >> 3] ^= 1 << (position & 7)
        return bytes(flipped)
