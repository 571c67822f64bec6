"""NTC thermistors behind an ADS1115: counts, curves, correction."""
