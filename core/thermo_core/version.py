"""Which version of thermo-edge is installed."""

from importlib import metadata


def software_version() -> str:
    """Version of the installed distribution."""
    try:
        return metadata.version("thermo-edge")
    except metadata.PackageNotFoundError:
        return "0+unknown"
