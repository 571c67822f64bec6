"""Commands of `thermo-hub`, a module each."""
