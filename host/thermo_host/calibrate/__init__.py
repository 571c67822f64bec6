"""Calibration of a wearable against a blackbody: measure, fit, judge, write, report."""
