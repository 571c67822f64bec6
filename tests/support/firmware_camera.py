"""The firmware's camera behind the interface of the agent's `PictureSensor`, on the same simulated bus and clock."""

import ctypes
import errno
from ctypes import (
    CFUNCTYPE,
    POINTER,
    byref,
    c_bool,
    c_char_p,
    c_float,
    c_int,
    c_size_t,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any

import numpy as np
from numpy.typing import NDArray
from smbus2 import i2c_msg

from thermo_core.sensors.mlx90640.frames import CONTROL, FRAME_WORDS, RAM_WORDS, SUBPAGE, Subpage
from thermo_core.sensors.mlx90640.registers import RESOLUTION_BITS, RefreshRate
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_device.sensors.driver import Place

CAMERA_MODULES = (
    "board", "bus", "counters", "flash", "journal", "mlx90640_chip", "mlx90640_constants", "mlx90640_plausible", "multiplexer", "page_schedule",
    "plausibility", "mlx90640_acquisition", "kth", "sightings", "crc",
)  # fmt: skip
OK, NACK, STUCK, SHORT, BUS = range(5)
_STATUS = {errno.EREMOTEIO: NACK, errno.ETIMEDOUT: STUCK, errno.EIO: SHORT}

# Each is given the board's context first, which is none.
Now = CFUNCTYPE(c_uint64, c_void_p)
Wait = CFUNCTYPE(None, c_void_p, c_uint64)
Transfer = CFUNCTYPE(c_int, c_void_p, c_uint8, c_void_p, c_size_t, c_void_p, c_size_t)
Recover = CFUNCTYPE(None, c_void_p)


class Callbacks(ctypes.Structure):
    """struct harness_callbacks."""

    _fields_ = (("now_us", Now), ("wait_until_us", Wait), ("i2c_transfer", Transfer), ("i2c_recover", Recover))


def transfer_on(bus: Any, address: int, write: int, write_size: int, read: int, read_size: int) -> int:
    """One transaction of the firmware on a simulated bus; a `status`."""
    messages = []
    if write_size:
        messages.append(i2c_msg.write(address, ctypes.string_at(write, write_size)))
    if read_size:
        messages.append(i2c_msg.read(address, read_size))
    try:
        bus.i2c_rdwr(*messages)
    except OSError as error:
        return _STATUS.get(error.errno or 0, BUS)
    if read_size:
        ctypes.memmove(read, bytes(messages[-1]), read_size)
    return OK


class FirmwareCamera:
    """Drop-in for `PictureSensor` in tests of acquisition.

    Args:
        library: built with the harness `camera`.
        settings, place: as for `PictureSensor`; counts are copied after each call.
    """

    def __init__(self, library: ctypes.CDLL, settings: Mlx90640Settings, place: Place) -> None:
        self._library = library
        bus, clock = place.bus, place.clock
        self._clock, self._counters = clock, place.tally
        self._counted: dict[bytes, int] = {}
        library.harness_new.restype = c_void_p
        library.harness_due_us.restype = c_uint64
        library.harness_poll.restype = library.harness_running.restype = c_bool
        library.harness_ram.restype = library.harness_eeprom.restype = POINTER(c_uint16)
        library.harness_fault.restype = library.harness_counter.restype = c_char_p
        self._callbacks = Callbacks(
            Now(lambda _: clock.now_us()),
            Wait(lambda _, time_us: clock.sleep_until_us(time_us)),
            Transfer(lambda _, *arguments: transfer_on(bus, *arguments)),
            Recover(lambda _: bus.recover()),
        )
        self._harness = c_void_p(
            library.harness_new(
                byref(self._callbacks),
                c_uint8(settings.bus_path.address),
                c_uint8(RefreshRate.from_hz(settings.rate_hz)),
                c_uint8(RESOLUTION_BITS.index(settings.resolution_bits)),
                c_bool(settings.pattern == "chess"),
            )
        )

    def __del__(self) -> None:
        self._library.harness_free(self._harness)

    @property
    def running(self) -> bool:
        return bool(self._library.harness_running(self._harness))

    @property
    def fault(self) -> str:
        return self._library.harness_fault(self._harness).decode()

    @property
    def eeprom(self) -> NDArray[np.uint16] | None:
        words = self._library.harness_eeprom(self._harness)
        return np.ctypeslib.as_array(words, (RAM_WORDS,)).copy() if words else None

    def capture(self, until_us: int) -> Subpage | None:
        """The next subpage, or None where there is none by then."""
        while True:
            due_us = self._library.harness_due_us(self._harness)
            if due_us > until_us:
                self._clock.sleep_until_us(until_us)
                return None
            self._clock.sleep_until_us(due_us)
            before = self._lost()
            captured = self._library.harness_poll(self._harness)
            self._copy_counters()
            if captured:
                return self._subpage()
            if self._lost() != before:
                return None

    def resume(self) -> None:
        self._library.harness_resume(self._harness)
        self._copy_counters()

    def set_rate(self, rate_hz: float) -> None:
        assert self._library.harness_set_rate(self._harness, c_float(rate_hz)) == OK
        self._copy_counters()

    def verify_eeprom(self) -> bool:
        status = self._library.harness_verify_eeprom(self._harness)
        self._copy_counters()
        return status == OK

    def _subpage(self) -> Subpage:
        index, control, number, time_us, generation = c_uint32(), c_uint16(), c_uint8(), c_uint64(), c_uint32()
        fields = index, control, number, time_us, generation
        self._library.harness_subpage(self._harness, *map(byref, fields))
        words = np.empty(FRAME_WORDS, np.uint16)
        words[:RAM_WORDS] = np.ctypeslib.as_array(self._library.harness_ram(self._harness), (RAM_WORDS,))
        words[CONTROL], words[SUBPAGE] = control.value, number.value
        return Subpage(words, index.value, time_us.value, 0, generation.value)

    def _lost(self) -> int:
        return self._counters.get("blocks_lost")

    def _copy_counters(self) -> None:
        count, number = c_uint32(), 0
        while name := self._library.harness_counter(self._harness, number, byref(count)):
            if count.value != self._counted.get(name, 0):
                self._counters.add(name.decode(), count.value - self._counted.get(name, 0))
                self._counted[name] = count.value
            number += 1
