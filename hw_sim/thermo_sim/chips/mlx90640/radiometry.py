"""From a scene in degC to the counts an MLX90640 would give: the calibration equations, run backwards.

The truth is physics: a pixel's signal is

    alpha (1 + KsTa dTa) rangeGain[r] (1 + KsTo[r] (To - CT[r])) (e To^4 + (1 - e) Tr^4 - Ta^4)

in kelvin, with the range r chosen by the true To. A decoder chooses range and slope from a first estimate of To, so it
is not the exact inverse: on skin the difference is below a millikelvin, above CT3 (120 degC or more) kelvins.
The sensor's true response differs from its EEPROM by `ResponseError`; noise is a function of (seed, power cycle, index
of the subpage) alone, so that a subpage nobody looks at changes nothing in the others.
"""
