"""The group that Ed25519 keys come from (RFC 8032, section 5.1), as far as judging a public key needs it.

A signature library takes any 32 bytes for a public key. Among them are points of small order, under which one signature holds
for most messages, and sums of a good key and such a point, under which whoever holds the good key can sign too.
"""

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_ORDER = 2**252 + 27742317777372353535851937790883648493
_COFACTOR = 8
_SQRT_M1 = pow(2, (_P - 1) // 4, _P)

_Point = tuple[int, int, int, int]
"""Extended coordinates: x = X/Z, y = Y/Z, XY = ZT."""
_NEUTRAL: _Point = (0, 1, 1, 0)


def flaw(key: bytes) -> str:
    """Why 32 bytes are no public key that was made by the rules, in words; "" where they are one.

    A key made by RFC 8032 is a multiple of the base point: in its one encoding, of the large prime order.
    """
    if len(key) != 32:
        return f"it has {len(key)} bytes and not 32"
    point = _decode(key)
    if point is None:
        return "it is no point of the curve in its one encoding"
    if _is_neutral(_times(_COFACTOR, point)):
        return "it is one of the eight points of small order, under which anybody can sign"
    if not _is_neutral(_times(_ORDER, point)):
        return "it is the sum of another key and a point of small order, so the holder of that key can sign too"
    return ""


def mirrored(key: bytes) -> bytes:
    """The key whose private half is the negative of this one's: whoever can sign with one can with both."""
    return key[:-1] + bytes([key[-1] ^ 0x80])


def _decode(key: bytes) -> _Point | None:
    number = int.from_bytes(key, "little")
    y, sign = number & (2**255 - 1), number >> 255
    if y >= _P:
        return None
    # x^2 = (y^2 - 1) / (d y^2 + 1); the denominator is never 0, as -1/d is no square.
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _SQRT_M1 % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    x = _P - x if x % 2 != sign else x
    return x, y, 1, x * y % _P


def _add(one: _Point, other: _Point) -> _Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(number: int, point: _Point) -> _Point:
    found = _NEUTRAL
    while number:
        if number & 1:
            found = _add(found, point)
        point = _add(point, point)
        number >>= 1
    return found


def _is_neutral(point: _Point) -> bool:
    x, y, z, _ = point
    return x % _P == 0 and (y - z) % _P == 0
