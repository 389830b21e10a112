"""`make rafiki-secrets`: the files that docker-compose.rafiki.yml hands to Rafiki."""

import base64
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backend.open_payments import Ed25519Signer
from tools.make_secrets import FOLDER, write

DOMAIN = "rafiki.localhost"
LIFETIME = timedelta(days=365)


def main() -> None:
    """Make everything, unless it is there."""
    folder = FOLDER / "rafiki"
    if folder.exists():
        print(f"{folder} is there already; remove it, and Rafiki's databases, to begin anew.")
        return
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    make_rafiki(folder, now=datetime.now(UTC))
    print(f"Made in {folder}.")


def make_rafiki(folder: Path, *, now: datetime) -> None:
    """Make all files in `folder`, which must not exist; the certificate ends a year after `now`."""
    folder.mkdir(mode=0o700)
    for name, text in {**_environments(), **_certificates(now)}.items():
        write(folder / name, text)
    write(folder / "private_key", Ed25519Signer.generate("unused").to_pem())


def _environments() -> dict[str, str]:
    password, admin, idp = (secrets.token_hex(32) for _ in range(3))
    tenant = str(uuid.uuid4())
    # The name of the admin API's secret in Rafiki's documentation, and the one in its code.
    api = {"API_SECRET": admin, "ADMIN_API_SECRET": admin, "OPERATOR_TENANT_ID": tenant}
    database = f"postgresql://rafiki:{password}@postgres:5432"
    files = {
        "databases.env": {"RAFIKI_DATABASE_PASSWORD": password},
        "auth.env": {
            "ADMIN_API_SECRET": admin,
            "OPERATOR_TENANT_ID": tenant,
            "AUTH_DATABASE_URL": f"{database}/rafiki_auth",
            "COOKIE_KEY": secrets.token_hex(32),
            "IDENTITY_SERVER_SECRET": idp,
        },
        "backend.env": {
            **api,
            "DATABASE_URL": f"{database}/rafiki_backend",
            "STREAM_SECRET": base64.b64encode(secrets.token_bytes(32)).decode(),
        },
        "mock_ase.env": {
            "SIGNATURE_SECRET": admin,
            "OPERATOR_TENANT_ID": tenant,
            "IDP_SECRET": idp,
        },
    }
    return {
        file: "".join(f"{name}={value}\n" for name, value in values.items())
        for file, values in files.items()
    }


def _certificates(now: datetime) -> dict[str, str]:
    # The authority's key is kept nowhere, and it vouches for one name: trusting it costs nothing.
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("Rafiki beside Faena")
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key(), ca_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints([x509.DNSName(DOMAIN)], None), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.DNSName(DOMAIN), x509.DNSName(f"auth.{DOMAIN}")])
    leaf = (
        _builder(_name(DOMAIN), ca_name, key.public_key(), ca_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(names, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key_pem = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "ca": ca.public_bytes(pem).decode(),
        "certificate": leaf.public_bytes(pem).decode(),
        "certificate_key": key_pem.decode(),
    }


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    now: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
        )
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


if __name__ == "__main__":
    main()
