"""The Raspberry Pi side: buses, acquisition, inference, and the agent that serves a host."""
