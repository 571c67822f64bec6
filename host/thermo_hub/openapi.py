"""`python -m thermo_hub.openapi` prints the description of the hub's API, without a hub that runs."""

import json
from typing import Any

from fastapi import FastAPI

from thermo_hub.api.description import described, operation_name
from thermo_hub.app import DESCRIPTION, PARTS, TITLE, routes


def whole() -> dict[str, Any]:
    """The description."""
    app = FastAPI(title=TITLE, version="0", description=DESCRIPTION, generate_unique_id_function=operation_name)
    for part in PARTS:
        app.include_router(part.router)
    return described(app, routes())


if __name__ == "__main__":
    print(json.dumps(whole(), indent=1))
