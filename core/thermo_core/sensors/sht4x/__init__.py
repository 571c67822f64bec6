"""The SHT4x, air temperature and humidity: settings, answers, correction."""
