"""What `hub.toml` says of the FHIR server that the hub sends to. Off until somebody writes it there."""

from typing import Annotated

from msgspec import Meta

from thermo_core.schema import Record, Text

Url = Annotated[str, Meta(max_length=2000, pattern=r"^https?://[^\s/?#]+[^\s?#]*$")]


class FhirSettings(Record, frozen=True):
    """A server, and how the hub proves that it may write there.

    Attributes:
        server: base address of FHIR R4; nothing is sent where it is left out.
        token_file: file with a bearer token; its first line.
        token_url: of SMART Backend Services, where a signed assertion is exchanged for a token.
        client_id: of the hub there.
        key_file: PEM file with the private key that signs, of an elliptic curve (P-384) or RSA.
        key_id: of the key, as the server knows it.
        scope: that is asked for.
        ca_file: PEM file of who signed the server's certificate; those of the system where left out.
        every_s: how often it is looked whether there is something to send.
    """

    server: Url | None = None
    token_file: Text | None = None
    token_url: Url | None = None
    client_id: Text | None = None
    key_file: Text | None = None
    key_id: Text | None = None
    scope: Text = "system/*.write"
    ca_file: Text | None = None
    every_s: Annotated[float, Meta(ge=0.01, le=86_400)] = 60.0
