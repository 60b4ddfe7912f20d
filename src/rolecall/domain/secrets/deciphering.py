"""Passwords sent encrypted: RSA-OAEP under the application's key pair, whose public half is published.

A client that must not put a plaintext password into a request body encrypts it with OAEP (MGF1 and hash SHA-256,
no label) and sends the base64 text. The private half is kept sealed in the store, the same on every replica.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret

_KEY_BITS = 3072
_OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


def new_private_key() -> Secret:
    """PEM text of a fresh private key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Secret(pem.decode())


class Deciphering:
    """`private_key` is PEM text."""

    def __init__(self, private_key: Secret) -> None:
        # Its numbers are not checked again, which takes a tenth of a second: it was sealed when it was made.
        key = serialization.load_pem_private_key(
            private_key.reveal().encode(), password=None, unsafe_skip_rsa_key_validation=True
        )
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("the deciphering key is not an RSA key")
        self._key = key

    @property
    def public_key(self) -> bytes:
        """PEM text to publish."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def decipher(self, encrypted: Secret) -> Secret:
        """The password in a base64 ciphertext. PASSWORD_UNDECIPHERABLE, whatever is wrong with it."""
        try:
            ciphertext = base64.b64decode(encrypted.reveal().encode("ascii"), validate=True)
            return Secret(self._key.decrypt(ciphertext, _OAEP).decode("utf-8"))
        except (binascii.Error, UnicodeError, ValueError):
            raise Refused(Reason.PASSWORD_UNDECIPHERABLE) from None
