"""The commands of `thermo-host`, one a file: arguments in, a call of the API, words or JSON out."""
