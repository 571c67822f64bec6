"""How the hub proves to a FHIR server that it may write there: a bearer token of a file, or SMART Backend Services.

https://hl7.org/fhir/smart-app-launch/backend-services.html: a JWT signed with the hub's private key is exchanged for a token that lasts some minutes.
"""

import base64
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from thermo_core.errors import UsageError
from thermo_hub.fhir_settings import FhirSettings
from thermo_hub.secret_files import secret_of, secret_text

ASSERTION_S = 300
EARLY_S = 30
"""A token is asked for anew so long before it ends."""
ANSWER_LIMIT = 1 << 16
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LEAST_RSA_BITS = 2048
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class TokenError(Exception):
    """No token could be had; what it says goes into the log, and it is tried again."""


class Tokens:
    """Gives the token for a request.

    Args:
        settings: of the server.
        now_s: seconds since 1970.

    Raises:
        StorageError, UsageError: a secret cannot be read, or is none.
    """

    def __init__(self, settings: FhirSettings, now_s: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._now_s = now_s
        self._fixed = secret_of(settings.token_file) if settings.token_file else ""
        self._key = _key(settings.key_file) if settings.key_file else None
        self._token, self._until_s = "", 0.0

    async def token(self, client: httpx.AsyncClient) -> str:
        """A bearer token; "" where the server wants none.

        Raises:
            TokenError: none could be had.
        """
        if self._key is None:
            return self._fixed
        if self._now_s() >= self._until_s:
            self._token, lasts_s = await self._exchanged(client, self._key)
            self._until_s = self._now_s() + lasts_s - EARLY_S
        return self._token

    def forget(self) -> None:
        """The server did not take the token: ask for another one next time."""
        self._until_s = 0.0

    async def _exchanged(self, client: httpx.AsyncClient, key: Key) -> tuple[str, float]:
        url = self._settings.token_url or ""
        form = {
            "grant_type": "client_credentials",
            "scope": self._settings.scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(
                key, self._settings.client_id or "", url, self._now_s(), self._settings.key_id
            ),
        }
        try:
            answer = await client.post(url, data=form, headers={"accept": "application/json"})
            said = answer.json() if len(answer.content) <= ANSWER_LIMIT else None
        except (httpx.HTTPError, ValueError) as error:
            raise TokenError(f"the token server does not answer ({type(error).__name__})") from error
        if answer.status_code != httpx.codes.OK or not isinstance(said, dict):
            reason = said.get("error", "") if isinstance(said, dict) else ""
            raise TokenError(f"the token server answered {answer.status_code} {reason}".rstrip())
        token, lasts = said.get("access_token"), said.get("expires_in", ASSERTION_S)
        if not isinstance(token, str) or not token.isprintable() or not token or not isinstance(lasts, int | float):
            raise TokenError("the token server gave no token")
        return token, float(lasts)


def assertion(key: Key, client_id: str, audience: str, now_s: float, key_id: str | None = None) -> str:
    """A JWT that proves who asks, by RFC 7523: ES384 of an elliptic key, RS384 of an RSA key."""
    elliptic = isinstance(key, ec.EllipticCurvePrivateKey)
    head = {"alg": "ES384" if elliptic else "RS384", "typ": "JWT", **({"kid": key_id} if key_id else {})}
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "exp": int(now_s) + ASSERTION_S,
        "jti": secrets.token_urlsafe(24),
    }
    signed = f"{_packed(head)}.{_packed(claims)}"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA384())))
        signature = r.to_bytes(48, "big") + s.to_bytes(48, "big")
    else:
        signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA384())
    return f"{signed}.{_encoded(signature)}"


def _key(path: str) -> Key:
    text = secret_text(path)
    try:
        key: Any = serialization.load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(
            f"{path} holds no private key in PEM without a password; name another key_file in [fhir]."
        ) from error
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP384R1):
        return key
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= LEAST_RSA_BITS:
        return key
    raise UsageError(
        f"{path} holds a key that SMART servers do not take; make one of P-384, or of RSA with 2048 bits or more."
    )


def _packed(plain: Any) -> str:
    return _encoded(json.dumps(plain, separators=(",", ":")).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
