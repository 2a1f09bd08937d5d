"""Encryption of personal values: one data key a subject, wrapped by the installation's key.

Destroying a subject's wrapped key makes every value encrypted with it unreadable, in the
tables, in the event log and in every backup, while the rows themselves stay as they are.
"""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_BYTES = 12


class Undecryptable(Exception):
    """The value was not encrypted with this key, or was changed since."""


def new_wrapped_key() -> bytes:
    """Return a new 256-bit data key, encrypted with the installation's key."""
    return encrypt(AESGCM.generate_key(256), key=_master_key())


def unwrap(wrapped: bytes) -> bytes:
    return decrypt(bytes(wrapped), key=_master_key())


def encrypt(plain: bytes, *, key: bytes | None = None) -> bytes:
    """Return nonce + ciphertext; without `key`, under the installation's key."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key or _master_key()).encrypt(nonce, plain, None)


def decrypt(sealed: bytes, *, key: bytes | None = None) -> bytes:
    try:
        return AESGCM(key or _master_key()).decrypt(
            sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None
        )
    except (InvalidTag, ValueError) as error:
        raise Undecryptable from error


def encrypt_text(text: str, *, key: bytes | None = None) -> str:
    return base64.urlsafe_b64encode(encrypt(text.encode(), key=key)).decode()


def decrypt_text(sealed: str, *, key: bytes | None = None) -> str:
    return decrypt(base64.urlsafe_b64decode(sealed), key=key).decode()


def _master_key() -> bytes:
    return base64.urlsafe_b64decode(settings.ENCRYPTION_KEY)
