"""What both ends of a thermo-edge wearable must agree on: sensor mathematics, frame types, wire format, errors. No I/O."""
