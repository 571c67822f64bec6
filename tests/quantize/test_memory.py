"""The memory plan: whatever lives together lies apart, or as its rule allows, in no more bytes than other orders take."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from thermo_quantize.compiler.memory import ALIGNMENT, Item, Key, Overlap, Rules, search

LAYERS = 12


@st.composite
def arenas(draw: st.DrawFn) -> tuple[dict[Key, Item], Rules]:
    """Items that live for a while, and rules for some of those that are made as another dies."""
    items = {}
    for number in range(draw(st.integers(0, 12))):
        first = draw(st.integers(-1, LAYERS))
        last = draw(st.integers(first, min(first + 5, LAYERS)))
        again = draw(st.sampled_from([(), (), ((last + 2, last + 3),)]))
        key = ("value", number)
        items[key] = Item(key, ALIGNMENT * draw(st.integers(0, 20)), first, last, again)
    rules = {}
    for source, output in ((one, two) for one in items.values() for two in items.values()):
        if source is not output and source.last == output.first and draw(st.booleans()):
            rules[source.key, output.key] = Overlap(
                lag=draw(st.none() | st.integers(-40, 80)),
                step=draw(st.sampled_from([1, 1, 8, 24])),
                lead=draw(st.none() | st.integers(0, 40)),
            )
    return items, rules


@given(arenas())
def test_what_lives_together_lies_apart_or_as_its_rule_allows(arena: tuple[dict[Key, Item], Rules]) -> None:
    items, rules = arena
    offsets, size = search(items, rules, 0, rounds=60)
    assert offsets.keys() == items.keys()
    assert size == max((offsets[key] + item.size for key, item in items.items()), default=0)
    assert size <= sum(item.size for item in items.values())
    for one, two in combinations(items.values(), 2):
        at, where = offsets[one.key], offsets[two.key]
        assert at % ALIGNMENT == where % ALIGNMENT == 0
        if one.meets(two) and at < where + two.size and where < at + one.size:
            ways = [((one.key, two.key), where - at), ((two.key, one.key), at - where)]
            assert any(pair in rules and rules[pair].allows(after) for pair, after in ways)


@given(arenas())
def test_more_rounds_take_no_more_bytes_and_none_are_below_what_lives_at_once(
    arena: tuple[dict[Key, Item], Rules],
) -> None:
    items, _ = arena
    sizes = [search(items, {}, 0, rounds)[1] for rounds in (1, 4, 60)]
    assert sizes == sorted(sizes, reverse=True)
    at_once = (sum(item.size for item in items.values() if item.lives_at(step)) for step in range(-1, LAYERS + 4))
    assert sizes[-1] >= max(at_once, default=0)
