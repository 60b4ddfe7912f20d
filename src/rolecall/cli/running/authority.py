"""A generated certificate: an authority in the data directory, and a server certificate that it signs.

DIR/tls/ca.pem      the authority that clients must trust; created once
DIR/tls/ca.key      mode 0600: its key
DIR/tls/server.pem  mode 0600: the server's certificate with its key, created at every start

The authority can sign for the names below only (RFC 5280 4.2.1.10): a thief of its key cannot impersonate another site
to clients that trust it.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rolecall.cli.private_files import make_private_directory, write_private_text
from rolecall.services import VENDOR_HOSTS
from rolecall.settings import Settings

_AUTHORITY_LASTS = timedelta(days=3650)
_SERVER_LASTS = timedelta(days=397)
_BEFORE = timedelta(hours=1)
"""Before now, for clients whose clock is slow."""

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_LOCAL_NETWORKS = ("127.0.0.0/8", "::1/128")
_NAME = re.compile(r"[A-Za-z0-9.:-]{1,253}")


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """`authority` is the certificate that clients trust; `server` holds certificate and key."""

    authority: Path
    server: Path


def server_names(settings: Settings, host: str) -> tuple[str, ...]:
    """The names that a generated certificate covers, besides this machine's own."""
    public = (name.partition(":")[0] for name in settings.public_hosts)
    url = urlsplit(settings.public_url).hostname
    names = (host, socket.gethostname(), *public, *((url,) if url else ()), *VENDOR_HOSTS)
    return tuple(name for name in names if _NAME.fullmatch(name))


def own_certificate(directory: Path, names: Iterable[str]) -> OwnCertificate:
    """A new certificate for this machine and `names`: host names and addresses. Raises `CommandError`."""
    make_private_directory(directory)
    wanted = tuple(dict.fromkeys((*LOCAL_NAMES, *(name.lower() for name in names))))
    now = datetime.now(UTC)
    authority, authority_key = _authority(directory, wanted, now)
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        _builder("Rolecall", authority.subject, key, now, _SERVER_LASTS)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in wanted]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    server = directory / "server.pem"
    write_private_text(server, _pem(made) + _key_pem(key))
    return OwnCertificate(directory / "ca.pem", server)


def _authority(
    directory: Path, names: Sequence[str], now: datetime
) -> tuple[x509.Certificate, EllipticCurvePrivateKey]:
    """The authority of the directory if it may sign for all these names for long enough, else a new one."""
    constraints = _constraints(names)
    certificate, key_file = directory / "ca.pem", directory / "ca.key"
    try:
        kept = x509.load_pem_x509_certificate(certificate.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        known = kept.extensions.get_extension_for_class(x509.NameConstraints).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        pass  # no usable authority yet
    else:
        lasts = kept.not_valid_after_utc > now + _SERVER_LASTS
        matches = kept.public_key() == key.public_key()
        covers = set(constraints.permitted_subtrees or ()) <= set(known.permitted_subtrees or ())
        if covers and lasts and matches and isinstance(key, EllipticCurvePrivateKey):
            return kept, key
    return _new_authority(certificate, key_file, constraints, now)


def _new_authority(
    certificate: Path, key_file: Path, constraints: x509.NameConstraints, now: datetime
) -> tuple[x509.Certificate, EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name("Rolecall for trying")
    signs = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        _builder("Rolecall for trying", subject, key, now, _AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(signs, critical=True)
        .add_extension(constraints, critical=True)
        .sign(key, hashes.SHA256())
    )
    write_private_text(key_file, _key_pem(key))
    write_private_text(certificate, _pem(made))
    return made, key


def _builder(
    name: str, issuer: x509.Name, key: EllipticCurvePrivateKey, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _constraints(names: Sequence[str]) -> x509.NameConstraints:
    addresses = {f"{name}/{ipaddress.ip_address(name).max_prefixlen}" for name in names if _is_address(name)}
    networks = [ipaddress.ip_network(text) for text in sorted(addresses | set(_LOCAL_NETWORKS))]
    hosts = sorted({name for name in names if not _is_address(name)})
    return x509.NameConstraints(
        [*(x509.DNSName(name) for name in hosts), *(x509.IPAddress(network) for network in networks)], None
    )


def _general_name(name: str) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_address(name)) if _is_address(name) else x509.DNSName(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
