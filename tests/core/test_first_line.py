"""The first line of a run's log says which account is read, and no secret."""

from importlib.metadata import version

import pytest

from support import KEY, command
from tap_core.redaction import public_address


@pytest.mark.parametrize("name", ["events", "rewards"])
def test_G02_the_first_line_names_the_address(api, tmp_path, name):
    config = {"api_url": f"{api.url}/{name}", "api_key": KEY, "no_such_setting": 1}
    done = command(f"tap_{name}", "--test=schema", config=config, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0].endswith(f"tap-{name} {version('tap-suite')} reads {api.url}/{name}")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://acme.chargify.com", "https://acme.chargify.com"),
        ("https://api.example.com:8443/v2/", "https://api.example.com:8443/v2/"),
        ("HTTPS://me:hush@api.example.com/v2", "HTTPS://api.example.com/v2"),
        ("https://hush@api.example.com?key=hush#hush", "https://api.example.com"),
        ("https://me:hu/s?h#hush@api.example.com", "https://api.example.com"),
        ("https://me:hush\nhush@api.example.com", "https://api.example.com"),
        ("https://api.example.com\nhush", "https://api.example.com"),
        ("me:hush@api.example.com", "no address"),
        ("", "no address"),
    ],
)
def test_an_address_shows_no_secret(url, shown):
    assert public_address(url) == shown
