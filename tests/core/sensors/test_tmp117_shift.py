"""Whether a TMP117 converts is told by results that follow its offset, whatever happens and in whatever order."""

from hypothesis import example, given
from hypothesis import strategies as st

from thermo_core.sensors.tmp117.registers import SHIFT
from thermo_core.sensors.tmp117.shift import Follows, own_offset, signed

SETTLES = 8
"""Results after which what was said of the chip is true."""
STILL = [(34.0, False)] * SETTLES
MOMENTS = st.lists(st.tuples(st.floats(20, 44), st.booleans()), min_size=1, max_size=60)


class Chip:
    """Adds its offset to what it converts, one result after the other; one that hangs says the last again."""

    def __init__(self) -> None:
        self.shift, self.result = 0, 34 * 128

    def convert(self, celsius: float, hangs: bool) -> int:
        if not hangs:
            self.result = round(celsius * 128) + self.shift
        return self.result & 0xFFFF


def lived(moments: list[tuple[float, bool]], every: int) -> list[tuple[int, bool, bool]]:
    """(result, whether it is said to be new, whether the chip is said to hang) of each."""
    chip, follows, said = Chip(), Follows(), []
    for place, (celsius, hangs) in enumerate(moments):
        result, new = follows.take(chip.convert(celsius, hangs), place % every == 0)
        chip.shift = SHIFT * follows.shifted
        said.append((signed(result), new, follows.frozen))
    return said


@given(MOMENTS, st.integers(1, 10))
@example([(34.0, False)] * 3 + [(34.0, True)] * 20, 10)
def test_a_result_that_is_new_never_has_the_shift_in_it(moments: list[tuple[float, bool]], every: int) -> None:
    for counts, new, _ in lived(moments, every):
        assert not new or 20 * 128 <= counts <= 44 * 128


@given(MOMENTS, st.integers(1, 10))
def test_what_hangs_is_told_and_what_converts_again_is_believed(moments: list[tuple[float, bool]], every: int) -> None:
    hung = [*moments, *[(30.0, True)] * (every + SETTLES)]
    assert lived(hung, every)[-1][2]
    again = [*hung, *STILL]
    result, new, frozen = lived(again, every)[-1]
    assert (result, new, frozen) == (34 * 128, True, False)


@given(st.lists(st.floats(20, 44), min_size=1, max_size=60), st.integers(1, 10))
def test_what_converts_is_never_said_to_hang(celsius: list[float], every: int) -> None:
    for (counts, new, frozen), wanted in zip(lived([(one, False) for one in celsius], every), celsius, strict=True):
        assert new and not frozen and counts == round(wanted * 128)


@given(st.lists(st.floats(-40, 120), min_size=1, max_size=30), st.integers(1, 10))
def test_leaps_of_more_than_the_shift_are_got_over(celsius: list[float], every: int) -> None:
    said = lived([(one, False) for one in celsius] + STILL, every)
    assert said[-1] == (34 * 128, True, False)


@given(st.integers(-SHIFT // 2, SHIFT // 2 - 1), st.integers(-2, 2))
def test_the_chips_own_offset_is_found_under_a_shift_that_was_left(own: int, times: int) -> None:
    assert own_offset((own + times * SHIFT) & 0xFFFF) == own
