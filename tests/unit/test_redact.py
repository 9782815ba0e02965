"""Secrets are taken out, and the rest is left as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiftboss.model.redact import redact

TEXTS = [
    "__cookie__:{}",
    "rpcpassword={}",
    "rpcpassword = {}",
    "-rpcpassword={} -regtest",
    "rpcauth={}",
    '"rpcpassword": "{}", "port": 1',
    "'password': '{}'",
    "http://user:{}@127.0.0.1:18443/",
    "Authorization: Basic {}",
    "authorization: bearer {}",
    "token={};next",
    "API_KEY: {}",
    "api-key: {}",
    'secret: "{}"',
    "passphrase={}",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_secret_is_removed(text: str) -> None:
    shown = redact(text.format("hunter2x"))
    assert "hunter2x" not in shown
    assert "[removed]" in shown


def test_a_quoted_secret_with_blanks_is_removed_as_a_whole() -> None:
    assert "horse" not in redact('password = "correct horse battery", port = 1')
    assert "port = 1" in redact('password = "correct horse battery", port = 1')


@pytest.mark.parametrize(
    "text",
    [
        "port 3333 is held by another process (nc -l 3333)",
        "the RPC cookie in /x/.cookie is refused",
        "http://127.0.0.1:18443/wallet/shiftboss",
        "rewrite the credentials",
        "",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text())
def test_removing_twice_is_removing_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)
