"""Keys: text, comparison, and not showing secrets."""

import copy
import pickle

import pytest
import tunnel

SECRETS = [tunnel.PrivateKey, tunnel.PresharedKey]
# RFC 7748 6.1, Alice.
PRIVATE = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="
PUBLIC = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="


def test_the_public_key_of_a_known_private_key():
    key = tunnel.PrivateKey.from_base64(PRIVATE)
    assert key.public_key() == tunnel.PublicKey.from_base64(PUBLIC)
    assert str(key.public_key()) == PUBLIC
    assert repr(key.public_key()) == f"PublicKey('{PUBLIC}')"


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_goes_to_text_and_bytes_and_back(kind):
    key = kind.generate()
    assert kind.from_base64(key.to_base64()) == key
    assert kind.from_bytes(bytes(key)) == key
    assert kind.from_bytes(memoryview(bytes(key))) == key
    assert key != kind.generate()


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_does_not_print_itself(kind):
    key = kind.generate()
    for text in (repr(key), str(key), f"{key}", f"{[key]}"):
        assert key.to_base64() not in text
        assert bytes(key).hex() not in text
        assert "secret" in text


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_not_hashed_copied_or_pickled(kind):
    key = kind.generate()
    for use in (hash, copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            use(key)


def test_keys_of_different_kinds_are_never_equal():
    text = tunnel.PrivateKey.generate().to_base64()
    keys = [kind.from_base64(text) for kind in (*SECRETS, tunnel.PublicKey)]
    assert keys[0] != keys[1] and keys[1] != keys[2] and keys[0] != keys[2]
    assert keys[0] != text and keys[2] != text


def test_public_keys_are_keys_of_dictionaries():
    key = tunnel.PublicKey.from_base64(PUBLIC)
    assert {key: 1}[tunnel.PublicKey.from_bytes(bytes(key))] == 1


@pytest.mark.parametrize("kind", [*SECRETS, tunnel.PublicKey])
@pytest.mark.parametrize("text", ["", "abc", PRIVATE[:-1], PRIVATE + "=", PRIVATE[:-2] + "p=",
                                  "\u00e9" * 44, "\0" * 44])
def test_text_that_is_no_key_is_refused(kind, text):
    with pytest.raises(tunnel.InvalidKey) as caught:
        kind.from_base64(text)
    assert isinstance(caught.value, ValueError)
    assert text == "" or text not in str(caught.value)


@pytest.mark.parametrize("kind", [*SECRETS, tunnel.PublicKey])
def test_what_is_no_text_or_bytes_is_refused(kind):
    for value in (None, 5, b"bytes", object()):
        with pytest.raises(TypeError):
            kind.from_base64(value)
    for value in (None, 5, "text"):
        with pytest.raises(TypeError):
            kind.from_bytes(value)
    for value in (b"", b"x" * 31, b"x" * 33, bytes(10**7)):
        with pytest.raises(tunnel.ArgumentError):
            kind.from_bytes(value)
