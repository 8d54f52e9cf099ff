"""Keys of the API: made, listed, revoked, checked. The store holds their names and hashes only.

A key reads `dln_ID_SECRET`. The id finds the record, 256 random bits are the secret, and hashes are compared in constant time.
"""

import hashlib
import hmac
import json
import secrets
from datetime import UTC, datetime
from typing import Any, NamedTuple

from store import keys

SECRET_BYTES = 32


class KeyRecord(NamedTuple):
    """What is known of a key."""

    id: str
    name: str
    created_at: str
    digest: str
    operator: bool = False


def create(client: Any, name: str, *, operator: bool = False) -> str:
    """A new key. It is shown this once. An operator's may also change what belongs to others."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(SECRET_BYTES)
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    record = {"name": name, "created_at": created, "digest": _digest(secret), "operator": operator}
    client.hset(keys.API_KEYS, key_id, json.dumps(record))
    return f"dln_{key_id}_{secret}"


def records(client: Any) -> list[KeyRecord]:
    """All keys, oldest first."""
    found = [parse(key_id.decode(), record) for key_id, record in client.hgetall(keys.API_KEYS).items()]
    return sorted(found, key=lambda record: record.created_at)


def revoke(client: Any, key_id: str) -> bool:
    """Make a key worthless at once; False where there is none."""
    return bool(client.hdel(keys.API_KEYS, key_id))


def parse(key_id: str, record: bytes) -> KeyRecord:
    """A record as the store holds it."""
    return KeyRecord(key_id, **json.loads(record))


def split(key: str) -> tuple[str, str]:
    """The id and the secret of a key; of anything else, what no record fits."""
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    return (key_id, secret) if prefix == "dln" else ("", "")


def matches(record: KeyRecord, secret: str) -> bool:
    """Whether `secret` is the one of this record."""
    return hmac.compare_digest(record.digest, _digest(secret))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
