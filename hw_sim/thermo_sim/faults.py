"""What can go wrong on a simulated I2C bus, and when: by transaction number, by probability, at once."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from thermo_core.errors import UsageError


class FaultKind(Enum):
    """A kind of fault; the value is its name in a specification.

    NACK: nobody acknowledges this transaction (EREMOTEIO).
    STUCK: a chip holds SDA low from this transaction on (ETIMEDOUT), until nine clocks free it.
    FLIP: `bits` bits of the data read in this transaction are inverted; no error is reported.
    SHORT: a read of this transaction ends early (EIO, as the kernel's bcm2835 driver says; the buffer stays untouched).
    STALE: the MLX90640 raises its new-data flag once more over the page it has already shown.
    AUXILIARY: an auxiliary word that drivers need reads 0x7FFF until its subpage is measured again.
    EEPROM: `bits` bits of the next EEPROM read are inverted; with `permanent`, the cells themselves change.
    UNPLUG: the chip loses power for `duration_us` and comes back with its power-on defaults.
    DELAY: the host is held up for `duration_us` before this transaction, so that pages are overwritten meanwhile.
    """

    NACK = "nack"
    STUCK = "stuck"
    FLIP = "flip"
    SHORT = "short"
    STALE = "stale"
    AUXILIARY = "aux"
    EEPROM = "eeprom"
    UNPLUG = "unplug"
    DELAY = "delay"


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
        duration_us: how long a chip stays unplugged, or the host is held up.
        bits: how many bits flip.
        permanent: EEPROM cells change for good.
    """

    kind: FaultKind
    at: int | None = None
    relative: bool = False
    count: int = 1
    probability: float = 0.0
    address: int | None = None
    duration_us: int = 1_000_000
    bits: int = 1
    permanent: bool = False


_TOKEN = re.compile(
    r"(?P<kind>[a-z]+)(?:@(?P<relative>\+?)(?P<at>\d+))?(?:x(?P<count>\d+))?"
    r"(?:\+(?P<duration>\d+(?:\.\d+)?)(?P<unit>us|ms|s))?(?P<options>(?::[a-z]+(?:=[^:]*)?)*)"
)
_UNIT_US = {"us": 1, "ms": 1_000, "s": 1_000_000}
_KINDS = {kind.value: kind for kind in FaultKind}


def parse_faults(specification: str) -> tuple[Fault, ...]:
    """Read a fault specification, for example ``nack@120,stuck:p=0.001,unplug@300+2s``.

    A specification is a list of faults, separated by commas. A fault is
    ``KIND[@[+]N][xCOUNT][+DURATION][:KEY[=VALUE]]...``: the kind (nack, stuck, flip, short, stale, aux, eeprom, unplug,
    delay), the transaction number (``@+N`` counts from now), how many transactions in a row, how long (us, ms or s; for
    unplug and delay, 1 s where omitted), and the keys ``p`` (probability a transaction), ``addr`` (only this chip),
    ``bits`` (how many flip) and ``permanent`` (EEPROM). With neither ``@`` nor ``p`` it strikes the next transaction.

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
        if kind not in (FaultKind.UNPLUG, FaultKind.DELAY):
            raise UsageError(f"The fault '{token}' has a duration, which only unplug and delay take; remove it.")
        fault = replace(fault, duration_us=round(float(match["duration"]) * _UNIT_US[match["unit"]]))
    for option in filter(None, match["options"].split(":")):
        fault = _with_option(token, fault, *option.partition("=")[::2])
    if fault.probability and fault.at is not None:
        raise UsageError(f"The fault '{token}' has both a transaction number and a probability; give one of them.")
    return fault


def _with_option(token: str, fault: Fault, key: str, value: str) -> Fault:
    if key == "p":
        try:
            probability = float(value)
        except ValueError:
            probability = -1.0
        if not 0 < probability <= 1:
            raise UsageError(f"The fault '{token}' has the probability '{value}'; give a number above 0 and at most 1.")
        return replace(fault, probability=probability)
    if key == "addr":
        try:
            address = int(value, 0)
        except ValueError:
            address = -1
        if not 0 <= address <= 0x7F:
            raise UsageError(f"The fault '{token}' has the address '{value}'; give a 7-bit address such as 0x33.")
        return replace(fault, address=address)
    if key == "bits":
        return replace(fault, bits=_positive(token, "bits", value))
    if key == "permanent" and value == "":
        return replace(fault, permanent=True)
    raise UsageError(f"The fault '{token}' has the unknown option '{key}'; use p, addr, bits or permanent.")


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
