"""What the hub's OpenAPI says of answers: the models of what comes, and of refusals."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """What a route answers; nothing else comes."""

    model_config = ConfigDict(extra="forbid")


class Refused(Answer):
    """Why a request was refused.

    Attributes:
        detail: a sentence, or what of the request is not as it must be.
        kind: of the error; absent where the request itself is at fault.
    """

    detail: str | list[dict[str, Any]]
    kind: str | None = None


BINARY = {"type": "string", "format": "binary"}
REFUSALS: Mapping[int, str] = {
    400: "What is asked for cannot be.",
    401: "Nobody has signed in.",
    403: "It is for another role, or came from another site.",
    404: "There is no such thing.",
    409: "It does not go together with how things stand.",
    413: "It is too large.",
    422: "The request is not as it must be.",
    429: "Too many tries.",
    500: "The hub's own fault, or its disk's.",
    502: "The wearable did not do it.",
    504: "The wearable takes too long.",
}


def says(
    model: type[Any] | None = None, *more: int, media: str = "", status: int = 200
) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route.

    Args:
        model: of what it answers; None where that is no JSON.
        more: refusals beside those that every route has (400, 401, 403, 404, 422, 429, 500).
        media: type of what it answers where that is no JSON.
        status: of the answer.
    """
    found: dict[int | str, dict[str, Any]] = {}
    if model is not None:
        found[status] = {"model": model, "description": "What was asked for."}
    elif media:
        found[status] = {"content": {media: {"schema": BINARY}}, "description": "What was asked for."}
    for code in sorted({400, 401, 403, 404, 422, 429, 500, *more}):
        found[code] = {"model": Refused, "description": REFUSALS[code]}
    return found
