"""Hashes of other makes against vectors that their makers, or who attacks them, published; and what is refused."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.domain.secrets.imported_hashes import FOREIGN, HashRefused, admit
from rolecall.domain.secrets.passwords import Passwords

LETMEIN = "lètmein"

# pyca/bcrypt tests/test_bcrypt.py; Openwall's crypt_blowfish and py-bcrypt by way of passlib's tests
BCRYPT_VECTORS = [
    ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("Kk4DQuMMfZL9o", "$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm"),
    (b"\xa3", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"),
    (b"\xd1\x91", "$2y$05$6bNw2HLQYeqHYyBfLMsv/OUcZd0LKP39b87nBw3.S2tVZSqiQX6eu"),
    (
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored",
        "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
    ),
    # Django's tests and passlib's
    ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
    ("password", "$bcrypt-sha256$2a,5$5Hg1DKFqPE8C2aflZ5vVoe$12BjNE0p7axMg55.Y/mHsYiVuFBDQyu"),
    ("password", "$bcrypt-sha256$v=2,t=2b,r=5$5Hg1DKFqPE8C2aflZ5vVoe$wOK1VFFtS8IGTrGa7.h5fs0u84qyPbS"),
    (
        "abc123" * 12 + "qwr",
        "$bcrypt-sha256$v=2,t=2b,r=5$X1g1nh3g0v4h6970O68cxe$CBF9csfEdW68xv3DwE6xSULXMtqEFP.",
    ),
    ("", "bcrypt_sha256$$2a$06$/3OeRpbOf8/l6nPPRdZPp.nRiyYqPobEZGdNRBWihQhiFDh1ws1tu"),
]

# P-H-C/phc-winner-argon2 src/test.c, and Django's tests/auth_tests/test_hashers.py
ARGON2_VECTORS = [
    ("password", "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY"),
    ("password", "$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$T/XOJ2mh1/TIpJHfCdQan76Q5esCFVoT5MAeIM1Oq2E"),
    ("password", "$argon2i$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$0WgHXE2YXhPr6uVgz4uUw7XYoWxRkWtvSsLaOsEbvs8"),
    (
        "secret",
        (
            "argon2$argon2i$m=8,t=1,p=1$c29tZXNhbHQ$gwQOXSNhxiOxPOA0+PY10P9QFO4NAYysnqRt1GSQLE55m+2GYDt9FEjPMHhP2"
            "Cuf0nOEXXMocVrsJAtNSsKyfg"
        ),
    ),
    ("secret", "argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q"),
]
OWN_ARGON2_VECTORS = [
    ("password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"),
    (
        "password",
        "{ARGON2}$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    ),
    ("secret", "argon2$argon2id$v=19$m=102400,t=2,p=8$Y041dExhNkljRUUy$TMa6A8fPJhCAUXRhJXCXdw"),
]

# RFC 7914 section 12 in the forms of passlib, crypt and Werkzeug; Django's tests
SCRYPT_VECTORS = [
    ("password", "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI"),
    (
        "pleaseletmein",
        "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI",
    ),
    ("nacl", "$scrypt$ln=1,r=4,p=2$yhnD+J+Tci4lZCwFgHCuVQ$fAsEWmxSHuC0cHKMwKVFPzrQukgvK09Sj+NueTSxKds"),
    ("pleaseletmein", "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D"),
    (
        LETMEIN,
        (
            "scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx"
            "7rQwite/Pw=="
        ),
    ),
    (
        "pleaseletmein",
        (
            "scrypt:16384:8:1$SodiumChloride$7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
            "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
        ),
    ),
]

# RFC 6070 section 2 in Werkzeug's form; hashcat's self-tests of modes 10000, 10901, 20200, 20300 and 20400; passlib's
# tests of its LDAP forms; Django's tests
PBKDF2_VECTORS = [
    ("password", "pbkdf2:sha1:4096$salt$4b007901b765489abead49d926f721d065a429c1"),
    ("hashcat", "pbkdf2_sha256$10000$1135411628$bFYX62rfJobJ07VwrUMXfuffLfj2RDM2G6/BrTrUWkE="),
    (LETMEIN, "pbkdf2_sha256$390000$seasalt2$geC/uZ92nRXDSjSxeoiBqYyRcrLzMm8xK3ro1QS1uo8="),
    (LETMEIN, "pbkdf2_sha1$390000$seasalt2$aDapRanzW8aHTz97v2TcfHzWD+I="),
    ("hashcat", "$pbkdf2$131000$r5WythYixPgfQ2jt3buXcg$8Kdr.QQEOaZIXNOrrru36I/.6Po"),
    ("hashcat", "$pbkdf2-sha256$29000$x9h7j/Ge8x6DMEao1VqrdQ$kra3R1wEnY8mPdDWOpTqOTINaAmZvRMcYd8u5OBQP9A"),
    (
        "hashcat",
        (
            "$pbkdf2-sha512$25000$LyWE0HrP2RsjZCxlDGFMKQ$1vC5Ohk2mCS9b6akqsEfgeb4l74SF8XjH.SljXf3dMLHdlY1GK9ojcCKts6"
            "/asR4aPqBmk74nCDddU3tvSCJvw"
        ),
    ),
    ("password", "{PBKDF2}1212$OB.dtnSEXZK8U5cgxU/GYQ$y5LKPOplRmok7CZp/aqVDVg8zGI"),
    ("password", "{PBKDF2-SHA256}1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ"),
    (
        "password",
        (
            "{PBKDF2-SHA512}1212$RHY0Fr3IDMSVO/RSZyb5ow$eNLfBK.eVozomMr.1gYa17k9B7KIK25NOEshvhrSX.esqY3s.FvWZViXz4Ko"
            "LlQI.BzY/YTNJOiKc5gBYFYGww"
        ),
    ),
    (
        "hashcat",
        (
            "{PBKDF2_SHA256}AAAgADkxMjM2NTIzMzgzMjQ3MjI4MDAwNTk5OTAyOTk4NDI2MjkyMzAzNjg0NjQwOTMxNjI3OTMzNjg0MDI0OTY5"
            "NTe5ULagRTYpLaUoeqJMg8x9W/DXu+9VTFaVhaYvebYrY+sOqn1ZMRnws22C1uAkiE2tFM8qN+xw5xe7OmCPZ203NuruK4oB33QlsKI"
            "Ez4ppm0TR94JB9PJx7lIQwFHD3FUNUNryj4jk6UYyJ4+V1Z9Ug/Iy/ylQBJgfs5ihzgxHYZrfp1wUCXFzlZG9mxmziPm8VFnAhaX4+F"
            "BAZvLAx33jpbKOwEg7TmwP2VJ8BNFLQRqwYdlqIjQlAhncXH+dqIF9VdM4MonAA0hx76bMvFTP7LF5VO1IqVmcuYz7YG9v4KKRjnvoU"
            "UqOj6okUBQTay3EzsdFVnUW1FemYOccJd5q"
        ),
    ),
]

# hashcat's self-tests of modes 111, 1411 and 1711; passlib's tests
SSHA_VECTORS = [
    ("hashcat", "{SSHA}FLzWcQqyle6Mo7NvrwXCMAmRzXQxNjYxMTYzNw=="),
    ("test", "{SSHA}/ZMF5KymNM+uEOjW+9STKlfCFj51bg3BmBNCiPHeW2ttbU0="),
    ("hashcat", "{SSHA256}L5Wk0zPY2lmoR5pH20zngq37KkxFwgTquEhx95rxfVk3Ng=="),
    ("test", "{ssha256}uBLazLaiBaPb6Cpnvq2XTYDkvXbYIuqRW1anMKk85d1/j1GqFQIgpHSOMUYIIcS4"),
    (
        "hashcat",
        (
            "{SSHA512}Bz8w5q6qEtB1Nnc8b1jfTvTXVTwohWag33oghQGOtLChnkZTw/cuJaHQlLJEI3AWKZGCRyLA6Phujdxo+is7AjA2MDcyNjY1M"
            "g=="
        ),
    ),
]

VECTORS = [*BCRYPT_VECTORS, *ARGON2_VECTORS, *SCRYPT_VECTORS, *PBKDF2_VECTORS, *SSHA_VECTORS]


def matches(stored: str, plain: str | bytes) -> bool:
    """By the one verifier whose prefix it has."""
    (verify,) = [one for prefix, one in FOREIGN.items() if stored.startswith(prefix)]
    return verify(stored, plain.encode() if isinstance(plain, str) else plain)


@pytest.mark.parametrize(("plain", "text"), VECTORS, ids=lambda value: str(value)[:24])
def test_a_published_hash_is_admitted_and_matches_its_password_alone(plain: str | bytes, text: str) -> None:
    stored = admit(f" {text}\n")
    assert matches(stored, plain)
    wrong = plain + b"x" if isinstance(plain, bytes) else "x" + plain
    assert not matches(stored, wrong)


@pytest.mark.parametrize(("plain", "text"), OWN_ARGON2_VECTORS, ids=lambda value: str(value)[:24])
def test_argon2id_is_admitted_as_the_hash_that_passwords_verify_themselves(plain: str, text: str) -> None:
    stored = admit(text)
    assert stored.startswith("$argon2id$")
    assert not any(stored.startswith(prefix) for prefix in FOREIGN)
    one = Passwords(threads=1, queue=0)
    try:
        assert one._verify(stored, plain.encode()).renewed is not None
    finally:
        one.close()


@pytest.mark.parametrize(
    ("wrapped", "kept"),
    [
        ("{CRYPT}$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq", "$2y$05$"),
        ("{BLF-CRYPT}$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq", "$2y$05$"),
        ("bcrypt$$2b$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq", "$2b$05$"),
    ],
)
def test_a_wrapper_that_says_nothing_more_is_taken_off(wrapped: str, kept: str) -> None:
    stored = admit(wrapped)
    assert stored.startswith(kept)
    assert matches(stored, b"\xa3")


def test_bcrypt_takes_bits_that_mean_nothing_in_the_last_letters_and_zero_bytes() -> None:
    text = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
    assert matches(admit(text[:28] + "/" + text[29:]), "U*U")
    assert not matches(text, b"U*U\0x")


def keycloak(algorithm: str, rounds: int, value: str, salt: str, **more: list[str]) -> dict[str, str]:
    """A credential as a realm export has it."""
    how = {"hashIterations": rounds, "algorithm": algorithm, "additionalParameters": more}
    return {
        "type": "password",
        "secretData": json.dumps({"value": value, "salt": salt, "additionalParameters": {}}),
        "credentialData": json.dumps(how),
    }


def test_a_credential_of_keycloak_becomes_the_hash_that_it_is() -> None:
    # from solo-io's published workshop realm, whose users have the password "password"
    made = keycloak(
        "pbkdf2-sha256", 27500, "JsfNbCOIdZUbyBJ+BT+VoGI91Ec2rWLOvkLPDaX8e9k=", "P5rtFkGtPfoaryJ6PizUJw=="
    )
    stored = admit(json.dumps(made))
    assert stored == "$pbkdf2-sha256$27500$P5rtFkGtPfoaryJ6PizUJw$JsfNbCOIdZUbyBJ.BT.VoGI91Ec2rWLOvkLPDaX8e9k"
    assert matches(stored, "password")
    # phc-winner-argon2's vector, in Keycloak's form
    salt = base64.b64encode(b"somesalt").decode()
    value = "iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8="
    parameters = {"memory": ["256"], "type": ["i"], "version": ["1.3"], "parallelism": ["1"]}
    stored = admit(json.dumps(keycloak("argon2", 2, value, salt, **parameters)))
    assert stored.startswith("$argon2i$v=19$m=256,t=2,p=1$")
    assert matches(stored, "password")


@pytest.mark.parametrize(
    "made",
    [
        keycloak("hmac-sha1", 1, "AAAA", "AAAA"),
        keycloak("pbkdf2", 10, "$$", "AAAA"),
        {"secretData": "{", "credentialData": "{}"},
        {"secretData": "{}", "credentialData": "{}"},
        {"secretData": "[]", "credentialData": "3"},
        {"type": "otp"},
    ],
)
def test_json_that_is_no_password_credential_is_refused(made: object) -> None:
    with pytest.raises(HashRefused, match="JSON"):
        admit(json.dumps(made))


SALT, DIGEST = "c29tZXNhbHQ", "9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ"
TOO_COSTLY = [
    "$2b$15$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm",
    "$2b$31$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm",
    "bcrypt_sha256$$2a$31$/3OeRpbOf8/l6nPPRdZPp.nRiyYqPobEZGdNRBWihQhiFDh1ws1tu",
    f"$argon2id$v=19$m=4194304,t=1,p=1${SALT}${DIGEST}",
    f"$argon2id$v=19$m=99999999,t=99999999,p=1${SALT}${DIGEST}",
    f"$argon2i$v=19$m=65536,t=17,p=1${SALT}${DIGEST}",
    f"$argon2d$v=19$m=65536,t=1,p=17${SALT}${DIGEST}",
    f"$scrypt$ln=19,r=8,p=1${SALT}${DIGEST}",
    f"$scrypt$ln=99,r=8,p=1${SALT}${DIGEST}",
    f"$scrypt$ln=4,r=1,p=999999999${SALT}${DIGEST}",
    f"scrypt:1048576:8:1$salt${'00' * 64}",
    f"$7$z6..../....salt${'.' * 43}",
    f"$pbkdf2-sha256$6000001${SALT}${DIGEST}",
    f"$pbkdf2-sha512$999999999${SALT}${DIGEST}",
    f"pbkdf2_sha256$99999999$salt${DIGEST}=",
    f"pbkdf2:sha256:99999999$salt${'00' * 32}",
    "{PBKDF2_SHA256}" + base64.b64encode(b"\xff\xff\xff\xff" + bytes(320)).decode(),
    json.dumps(keycloak("pbkdf2-sha256", 10**9, DIGEST + "=", "AAAA")),
    # many blocks of output are as costly as many rounds
    f"pbkdf2:sha1:2000000$salt${'00' * 80}",
]


@pytest.mark.parametrize("text", TOO_COSTLY, ids=lambda text: text[:32])
def test_a_hash_that_would_cost_a_sign_in_too_much_is_refused_at_import(text: str) -> None:
    with pytest.raises(HashRefused):
        admit(text)


@pytest.mark.parametrize("text", [text for text in TOO_COSTLY if not text.startswith(("$argon2id", '{"'))])
def test_and_is_not_computed_if_it_is_in_the_store_nevertheless(text: str) -> None:
    assert not matches(text, "password")


REFUSED = [
    "",
    "secret",
    "{CLEARTEXT}secret",
    "5f4dcc3b5aa765d61d8327deb882cf99",
    "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
    "{MD5}X03MO1qnZdYdgyfeuILPmQ==",
    "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",  # no salt
    "{SSHA}ZQK3Yvt!",
    "{SSHA512}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr",
    "$1$deadbeef$Q7g0UO4hRC0mgQUQ/qkjZ0",
    "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/",
    "$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaRxgI1cp1bKIExmmVfHnUw4.",
    "$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YE",
    "$2b$03$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm",
    f"$argon2id$v=19$m=256,t=2,p=1${SALT}",
    f"$argon2id$v=18$m=256,t=2,p=1${SALT}${DIGEST}",
    f"$argon2id$v=19$m=256,t=2,p=1,keyid=x${SALT}${DIGEST}",
    f"$argon2id$v=19$m=7,t=2,p=1${SALT}${DIGEST}",
    f"$argon2id$v=19$m=256,t=0,p=1${SALT}${DIGEST}",
    f"$argon2id$v=19$m=256,t=2,p=1$AAAA${DIGEST}",
    f"$argon2id$v=19$m=256,t=2,p=1${SALT}$AAAA",
    f"scrypt:1000:8:1$salt${'00' * 64}",
    "scrypt:16384:8:1$salt$00",
    f"pbkdf2:md5:1000$salt${'00' * 16}",
    f"pbkdf2:sha256$salt${'00' * 32}",
    f"$pbkdf2-sha256$0${SALT}${DIGEST}",
    "pbkdf2_sha256$1000$salt$AA==",
    "{PBKDF2_SHA256}AAAA",
    "{SSHA}" + "A" * 2000,
    "$2b$04$\udcff",
    "$2b$0\u0664$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm",  # a digit of another script
    f"$argon2id$v=19$m=25\u0666,t=2,p=1${SALT}${DIGEST}",
    f"$pbkdf2-sha256$100\u0660${SALT}${DIGEST}",
    f"scrypt:1638\u0664:8:1$salt${'00' * 64}",
]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:32].encode("ascii", "replace").decode())
def test_what_is_no_salted_hash_of_a_known_make_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(HashRefused) as refusal:
        admit(text)
    assert len(text) < 7 or text[6:] not in str(refusal.value)


def test_what_came_into_the_store_by_another_way_matches_nothing_and_is_no_crash() -> None:
    assert not FOREIGN["$2b$"]("$2b$0\u0664$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm", b"x")


@given(
    st.one_of(
        st.text(max_size=200),
        st.sampled_from([*dict(VECTORS).values(), *TOO_COSTLY]).flatmap(
            lambda text: st.tuples(st.integers(0, len(text)), st.text(max_size=3)).map(
                lambda change: text[: change[0]] + change[1] + text[change[0] + len(change[1]) :]
            )
        ),
    )
)
def test_no_text_does_anything_but_be_admitted_or_refused(text: str) -> None:
    with contextlib.suppress(HashRefused):
        assert admit(admit(text)) == admit(text)


def test_keycloaks_own_cost_for_sha1_is_admitted() -> None:
    """1,300,000 rounds of four blocks, its default since release 24 (keycloak/keycloak#27020)."""
    digest, salt = base64.b64encode(b"d" * 64).decode(), base64.b64encode(b"s" * 16).decode()
    assert admit(json.dumps(keycloak("pbkdf2", 1_300_000, digest, salt)))


@pytest.mark.parametrize("scheme", ["argon2@SpringSecurity_v5_8", "argon2", "ARGON2"])
def test_a_scheme_of_spring_security_is_taken_off(scheme: str) -> None:
    bare = OWN_ARGON2_VECTORS[0][1]
    assert admit(f"{{{scheme}}}{bare}") == bare
