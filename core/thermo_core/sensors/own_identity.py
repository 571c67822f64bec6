"""The identity of a chip that has none of its own: it is told by the device and its place in it."""

BYTES = 8
_BASIS, _PRIME = 0xCBF2_9CE4_8422_2325, 0x100_0000_01B3


def own_identity(serial: str, number: int) -> bytes:
    """FNV-1a of 64 bits over a device's serial number and a sensor's number, the same in `device/firmware/core/own_identity.c`.

    Args:
        serial: of the device, UTF-8.
        number: of the sensor within the wearable, 0 to 255.

    Returns:
        `BYTES` bytes, big-endian.
    """
    value = _BASIS
    for byte in (*serial.encode(), number):
        value = (value ^ byte) * _PRIME % (1 << 64)
    return value.to_bytes(BYTES, "big")
