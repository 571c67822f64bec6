"""Alerts by HTTP POST, signed so that the receiver can tell them from anybody else's.

The header `X-Thermo-Signature` is `t=SECONDS,v1=HEX`: HMAC-SHA-256, under the secret, of the seconds, a dot and the body. A receiver
computes the same, compares in constant time, and refuses seconds that are minutes away. `X-Thermo-Delivery` is the same at each try.
"""

import asyncio
import hashlib
import hmac
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from thermo_core.text import clean
from thermo_core.version import software_version
from thermo_hub.alerts.channels.channel import DeliveryError, Message
from thermo_hub.channel_settings import Webhook
from thermo_hub.secret_files import secret_of

TIMEOUT_S = 10.0
SIGNATURE, DELIVERY = "X-Thermo-Signature", "X-Thermo-Delivery"
ANSWER = 200
"""Bytes of an answer that the log keeps."""


class WebhookChannel:
    """Tells one address.

    Args:
        settings: which.
        now_s: seconds since 1970.

    Raises:
        StorageError, UsageError: its secret cannot be read.
    """

    follows = True

    def __init__(self, settings: Webhook, now_s: Callable[[], float] = time.time) -> None:
        self.name = settings.name
        self.what = f"POST to {settings.url.partition('?')[0]}"
        self._url = settings.url
        self._secret = secret_of(settings.secret_file).encode()
        self._now_s = now_s

    async def send(self, message: Message) -> str:
        """As `Channel`."""
        return await asyncio.to_thread(self._post, message)

    def _post(self, message: Message) -> str:
        body = json.dumps(message.facts(), separators=(",", ":"), ensure_ascii=False).encode()
        request = urllib.request.Request(
            self._url,
            body,
            {
                "Content-Type": "application/json",
                "User-Agent": f"thermo-hub/{software_version()}",
                SIGNATURE: sign(self._secret, round(self._now_s()), body),
                DELIVERY: message.delivery,
            },
        )
        try:
            with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
                return f"{answer.status} {clean(answer.read(ANSWER).decode(errors='replace'), ANSWER)}".strip()
        except urllib.error.HTTPError as error:
            with error:
                raise DeliveryError(
                    f"{error.code} {clean(error.read(ANSWER).decode(errors='replace'), ANSWER)}"
                ) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DeliveryError(clean(str(error) or type(error).__name__, ANSWER)) from error


def sign(secret: bytes, seconds: int, body: bytes) -> str:
    """The header that proves a body."""
    return f"t={seconds},v1={hmac.new(secret, f'{seconds}.'.encode() + body, hashlib.sha256).hexdigest()}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is signed for one address goes to no other."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)
