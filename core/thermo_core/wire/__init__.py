"""What travels on the serial line: telemetry records in COBS frames beside SMP packets. docs/wire.md has every byte."""
