"""A wearable's graph as C tables: signals, calls, parameters, findings, alerts, and one memory for stages and networks."""
