"""Processors that QEMU emulates, for tests and benches."""

from dataclasses import dataclass

MICROBIT = "microbit -global nrf51-soc.sram-size=2097152 -global nrf51-soc.flash-size=4194304"
"""QEMU's Cortex-M0, with as much memory as is needed. It has the M0+'s instructions and no others."""


@dataclass(frozen=True)
class Processor:
    """A processor that QEMU emulates.

    Attributes:
        name: of the processor.
        target: of the compiler of networks.
        flags: of arm-none-eabi-gcc.
        machine: of QEMU, with its options.
    """

    name: str
    target: str
    flags: str
    machine: str


M4 = Processor("Cortex-M4F", "m4", "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard", "mps2-an386")
M0PLUS = Processor("Cortex-M0+", "m0plus", "-mcpu=cortex-m0plus -mthumb", MICROBIT)
