"""The packer's key."""

from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fanous.errors import FanousError
from fanous.publish.signer import (
    KeyMissing,
    Purpose,
    ensure_key,
    fingerprint,
    is_signed_by,
    make_key,
    signing_key,
    statement,
)


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key.pem"
    first = make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert signing_key(path).public == first.public
    with pytest.raises(FanousError, match="already there"):
        make_key(path)
    assert not ensure_key(path)
    assert signing_key(path).public == first.public
    assert ensure_key(tmp_path / "another.pem")


def test_signing_never_makes_a_key(tmp_path: Path) -> None:
    """On a server that was restored without its key, that would silently be another signer."""
    with pytest.raises(KeyMissing, match=r"put back a copy of that key.*fanous incidents key --new"):
        signing_key(tmp_path / "key.pem")
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    make_key(path)
    path.chmod(0o644)
    with pytest.raises(FanousError, match="chmod 600"):
        signing_key(path)


def test_another_kind_of_key_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(pem)
    path.chmod(0o600)
    with pytest.raises(FanousError, match="not an Ed25519 key"):
        signing_key(path)


def test_rubbish_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(b"rubbish")
    path.chmod(0o600)
    with pytest.raises(FanousError, match="not an unencrypted private key"):
        signing_key(path)


def test_a_signature_holds_for_its_content_and_key_alone(tmp_path: Path) -> None:
    key, other = make_key(tmp_path / "a"), make_key(tmp_path / "b")
    digest, another = sha256(b"content").digest(), sha256(b"Content").digest()
    public, signature = key.public, key.sign(Purpose.BUNDLE, digest).hex().encode()
    assert is_signed_by(public, signature, statement(Purpose.BUNDLE, digest))
    assert not is_signed_by(public, signature, statement(Purpose.BUNDLE, another))
    assert not is_signed_by(public, signature, statement(Purpose.RECEIPT, digest))
    assert not is_signed_by(other.public, signature, statement(Purpose.BUNDLE, digest))


@pytest.mark.parametrize(
    "spoil", [bytes.upper, lambda s: s + b" ", lambda s: s[:-2], lambda s: s[:0], bytes.title]
)
def test_a_signature_has_one_spelling(tmp_path: Path, spoil: object) -> None:
    key = make_key(tmp_path / "a")
    digest = sha256(b"content").digest()
    signature = key.sign(Purpose.BUNDLE, digest).hex().encode()
    assert callable(spoil)
    assert not is_signed_by(key.public, spoil(signature), statement(Purpose.BUNDLE, digest))


def test_a_fingerprint_is_the_digest_of_the_public_key(tmp_path: Path) -> None:
    public = make_key(tmp_path / "a").public
    assert len(fingerprint(public)) == 64
    assert fingerprint(public) != public
