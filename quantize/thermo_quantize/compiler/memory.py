"""Memory plan: a place in one arena for every value and scratch buffer, near the lower bound of what is live at once.

A kernel that reads its input ahead of what it writes may let its output overlap an input that dies there (`Overlap`); so
element-wise and depthwise layers run in place, and convolutions slide their output over their input row by row.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from thermo_quantize.compiler.ir import Layer, Network

ALIGNMENT = 8
_ROUNDS = 3000


@dataclass(frozen=True)
class Overlap:
    """Where an output may begin relative to an input it overlaps: at most `lag` bytes after it, by a multiple of `step`.

    A kernel that runs from the last pixel to the first asks for at least `lead` bytes after it instead.
    """

    lag: int | None = None
    step: int = 1
    never: bool = False
    lead: int | None = None

    def allows(self, delta: int) -> bool:
        """May the output begin `delta` bytes after the input?"""
        if self.never or delta % self.step:
            return False
        return (self.lag is None or delta <= self.lag) and (self.lead is None or delta >= self.lead)


NONE = Overlap(never=True)
ANYWHERE = Overlap()


Key = tuple[str, int]


@dataclass(frozen=True)
class Item:
    """Something that needs bytes from the start of layer `first` to the end of layer `last` (-1: before the first).

    `also` are further such spans.
    """

    key: Key
    size: int
    first: int
    last: int
    also: tuple[tuple[int, int], ...] = ()

    def lives_at(self, step: int) -> bool:
        """Whether it needs its bytes then."""
        return self.first <= step <= self.last or any(first <= step <= last for first, last in self.also)

    def meets(self, other: "Item") -> bool:
        """Whether both need their bytes at some time."""
        if self.first <= other.last and other.first <= self.last:
            return True
        return any(
            one <= end and begin <= two
            for one, two in ((self.first, self.last), *self.also)
            for begin, end in ((other.first, other.last), *other.also)
        )


Rules = Mapping[tuple[Key, Key], Overlap]
"""(source, output) -> how they may overlap, where the source dies as the output is made."""


@dataclass(frozen=True)
class Plan:
    """Offsets of values (by id) and scratch buffers (by layer position), arena size and its lower bound, in bytes."""

    values: dict[int, int]
    scratch: dict[int, int]
    size: int
    bound: int
    live: tuple[int, ...]


def plan_memory(
    network: Network, scratch: list[int], overlaps: dict[tuple[int, int], Overlap], padding: int = 0
) -> Plan:
    """Place everything.

    Args:
        network: layers in order.
        scratch: bytes of scratch each layer needs.
        overlaps: (input's id, output's id) -> how they may overlap at the layer that makes the output.
        padding: bytes a kernel may read past a value's end.

    Returns:
        A plan without conflicts.
    """
    items = _items(network, scratch, padding)
    rules = {
        (("value", a), ("value", b)): rule for (a, b), rule in overlaps.items() if rule != NONE and _meet(items, a, b)
    }
    live, bound = _bound(network.layers, items, rules)
    offsets, size = search(items, rules, bound)
    return Plan(
        {key[1]: offset for key, offset in offsets.items() if key[0] == "value"},
        {key[1]: offset for key, offset in offsets.items() if key[0] == "scratch"},
        size,
        bound,
        live,
    )


def align(size: int) -> int:
    """Bytes up to where something else may begin."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def _items(network: Network, scratch: list[int], padding: int) -> dict[Key, Item]:
    first: dict[int, int] = {value.id: -1 for value in network.inputs}
    last: dict[int, int] = {value.id: -1 for value in network.inputs}
    sizes = {value.id: value.size for value in network.inputs}
    for step, layer in enumerate(network.layers):
        for value in (*layer.inputs, *layer.outputs):
            if value.data is None:
                first.setdefault(value.id, step)
                last[value.id] = step
                sizes[value.id] = value.size
    for value in network.outputs:
        if value.data is None:
            last[value.id] = len(network.layers)
    items = [Item(("value", key), align(sizes[key] + padding), first[key], last[key]) for key in sizes]
    items += [Item(("scratch", step), align(size), step, step) for step, size in enumerate(scratch) if size]
    return {item.key: item for item in items}


def _meet(items: dict[Key, Item], source: int, output: int) -> bool:
    one, two = items.get(("value", source)), items.get(("value", output))
    return one is not None and two is not None and source != output and one.last == two.first


def _bound(
    layers: tuple[Layer, ...],
    items: dict[Key, Item],
    rules: Rules,
) -> tuple[tuple[int, ...], int]:
    """Bytes each layer needs at least, and their maximum."""
    live = []
    for step in range(len(layers)):
        here = [item for item in items.values() if item.first <= step <= item.last]
        total = sum(item.size for item in here)
        saving = 0
        for (source, output), rule in rules.items():
            one, two = items[source], items[output]
            if two.first == step and one in here:
                saving = max(saving, one.size + two.size - union(one.size, two.size, rule))
        live.append(total - saving)
    ends = sum(item.size for item in items.values() if item.first == -1)
    return tuple(live), max([*live, ends])


def union(source: int, output: int, rule: Overlap) -> int:
    """Bytes an input and an output take together at least."""
    if rule.lead is not None:
        return min(source + output, max(source, output + max(rule.lead, 0)))
    if rule.lag is None or rule.lag >= 0:
        return max(source, output)
    return min(source + output, max(output, source - rule.lag))


@dataclass(frozen=True)
class _Placing:
    """Where items lie, by number, after an order.

    `earlier` are, of those that an item meets, the ones placed before it, as bits. Whoever has the same earlier ones at
    the same offsets in another order lies where it lay, so that most of an order that differs little is known beforehand.
    """

    offsets: list[int]
    earlier: list[int]
    size: int


class _Packing:
    """Items by number, and what is asked of them thousands of times.

    Args:
        items: in the order of their numbers.
        rules: which of them may overlap although both live.
    """

    def __init__(self, items: Sequence[Item], rules: Rules) -> None:
        self._sizes = [item.size for item in items]
        self._meets = [[other for other, its in enumerate(items) if item.meets(its)] for item in items]
        self._meets_bits = [sum(1 << other for other in meets) for meets in self._meets]
        numbers = {item.key: number for number, item in enumerate(items)}
        # By item and other: how they may overlap, and 1 where the item is made of the other, -1 where the other is made of it.
        self._shared: list[dict[int, list[tuple[Overlap, int]]]] = [{} for _ in items]
        for (source, output), rule in rules.items():
            if source in numbers and output in numbers:
                one, two = numbers[source], numbers[output]
                self._shared[two].setdefault(one, []).append((rule, 1))
                self._shared[one].setdefault(two, []).append((rule, -1))

    def place(self, order: Sequence[int], best: int, known: _Placing | None) -> _Placing | None:
        """Each as low as it fits after those before it; None where they take `best` bytes or more.

        Args:
            order: numbers of all items.
            best: bytes.
            known: what another order gave.
        """
        offsets, befores = [0] * len(order), [0] * len(order)
        placed = moved = total = 0
        for item in order:
            earlier = placed & self._meets_bits[item]
            if known is not None and earlier == known.earlier[item] and not earlier & moved:
                at = known.offsets[item]
            else:
                at = self._lowest(
                    item, [(other, offsets[other]) for other in self._meets[item] if earlier >> other & 1]
                )
                if known is not None and at != known.offsets[item]:
                    moved |= 1 << item
            end = at + self._sizes[item]
            if end >= best:
                return None
            total = max(total, end)
            offsets[item], befores[item] = at, earlier
            placed |= 1 << item
        return _Placing(offsets, befores, total)

    def _lowest(self, item: int, near: list[tuple[int, int]]) -> int:
        options = {0}
        for other, at in near:
            options.update(self._candidates(item, other, at))
        return next(at for at in sorted(options) if at >= 0 and self._fits(item, at, near))

    def _candidates(self, item: int, other: int, at: int) -> list[int]:
        found = [at + self._sizes[other], at - self._sizes[item]]
        for rule, sign in self._shared[item].get(other, ()):
            found += [at, at + self._sizes[other] - self._sizes[item]]
            if rule.lag is not None:
                found.append((at + sign * rule.lag) // ALIGNMENT * ALIGNMENT + (0 if sign > 0 else ALIGNMENT))
                found.append((at + sign * rule.lag) // ALIGNMENT * ALIGNMENT)
            if rule.lead is not None:
                found.append((at + sign * rule.lead) // ALIGNMENT * ALIGNMENT + (ALIGNMENT if sign > 0 else 0))
                found.append((at + sign * rule.lead) // ALIGNMENT * ALIGNMENT)
        return found

    def _fits(self, item: int, at: int, near: list[tuple[int, int]]) -> bool:
        end, shared = at + self._sizes[item], self._shared[item]
        for other, where in near:
            if at < where + self._sizes[other] and where < end:
                ways = shared.get(other)
                if ways is None or not any(rule.allows(sign * (at - where)) for rule, sign in ways):
                    return False
        return True


def search(items: Mapping[Key, Item], rules: Rules, bound: int, rounds: int = _ROUNDS) -> tuple[dict[Key, int], int]:
    """A place for every item.

    Args:
        items: by their keys.
        rules: which of them may overlap although both live.
        bound: size that none can be below; the search ends there.
        rounds: orders of placement that are tried.

    Returns:
        Offsets by key, and the bytes of all.
    """
    everything = list(items.values())
    packing, numbered = _Packing(everything, rules), list(enumerate(everything))
    ways: tuple[Callable[[Item], tuple[int, int]], ...] = (
        lambda item: (-item.size, item.first),
        lambda item: (item.first, -item.size),
        lambda item: (-item.last, -item.size),
        lambda item: (-item.size * (item.last - item.first + 1), item.first),
    )
    orders = [[number for number, _ in sorted(numbered, key=lambda each: way(each[1]))] for way in ways]
    best, best_order = None, orders[0]
    best_size = sum(item.size for item in everything) + 1
    generator = random.Random(1)
    for number in range(rounds):
        if number < len(orders):
            order = orders[number]
        else:
            order = best_order[:]
            for _ in range(generator.randint(1, 3)):
                item = order.pop(generator.randrange(len(order)))
                order.insert(generator.randrange(len(order) + 1), item)
        found = packing.place(order, best_size, best)
        if found is not None:
            best, best_order, best_size = found, order, found.size
        if best_size <= bound:
            break
    offsets = [] if best is None else best.offsets
    return {item.key: at for item, at in zip(everything, offsets, strict=True)}, best_size
