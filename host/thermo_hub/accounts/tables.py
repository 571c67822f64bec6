"""Tables of accounts. Times are nanoseconds since 1970 UTC."""

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, String, Table

from thermo_hub.store.tables import METADATA

ACCOUNT = Table(
    "account",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("password", String(255), nullable=False, comment="argon2id hash, as its encoding has it"),
    Column("roles", String(255), nullable=False, comment="separated by spaces"),
    Column("closed", Boolean, nullable=False),
    Column("since_ns", BigInteger, nullable=False),
    Column("changed_ns", BigInteger, nullable=False, comment="when the password was set"),
)

INVITATION = Table(
    "invitation",
    METADATA,
    Column("token_sha256", String(64), primary_key=True, comment="of a one-time token, which itself is kept nowhere"),
    Column("name", String(64), nullable=False),
    Column("roles", String(255), nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
)

PASSKEY = Table(
    "passkey",
    METADATA,
    Column("id", String(1400), primary_key=True, comment="of the credential, base64url"),
    Column("account", String(64), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False, comment="COSE"),
    Column("sign_count", BigInteger, nullable=False, comment="signatures that it has counted; a copy stands behind"),
    Column("since_ns", BigInteger, nullable=False),
    Column("used_ns", BigInteger, nullable=True),
)
