"""The definitions of hub/ keep the rules of Meltano Hub, and say what the taps and presets say."""

import json
import re
import shlex
import subprocess
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import hub
import repository
from suite import all_taps

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "hub").iterdir())

KEYS = {
    "capabilities": list,
    "description": str,
    "domain_url": str,
    "executable": str,
    "keywords": list,
    "label": str,
    "log_parser": str,
    "logo_url": str,
    "maintenance_status": str,
    "name": str,
    "namespace": str,
    "pip_url": str,
    "quality": str,
    "settings": list,
    "settings_group_validation": list,
    "supported_python_versions": list,
    "variant": str,
}
LINKS = {"docs", "repo"}
"""Only there once the project has an address."""
OPTIONAL_KEYS = {*LINKS, "select", "usage"}
OF_OTHERS = {"target-jsonl~=0.1.4"}
"""What meltano.yml installs by its name, which is its makers' on the package index."""
CAPABILITIES = {
    "about",
    "activate-version",
    "batch",
    "catalog",
    "discover",
    "hard-delete",
    "log-based",
    "properties",
    "schema-flattening",
    "soft-delete",
    "state",
    "stream-maps",
    "structured-logging",
    "target-schema",
    "test",
}
NEEDED = {"description", "kind", "label", "name"}
OPTIONAL = {"options", "placeholder", "sensitive", "value"}
VALUES = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "object": dict,
    "options": str,
    "password": str,
    "string": str,
}
LOADER = "target-duckdb-exact"
PRESETS = {
    "tap-eventzilla": "tap-events",
    "tap-calcom": "tap-scheduling",
    "tap-easypromos": "tap-promotions",
    "tap-maxio": "tap-billing",
    "tap-tremendous": "tap-rewards",
}


def load(path):
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


@pytest.fixture(params=FILES, ids=lambda path: path.name)
def definition(request):
    return load(request.param)


def test_one_for_each_tap_preset_and_the_loader():
    taps = [
        script.name for script in entry_points(group="console_scripts") if script.value.startswith("tap_")
    ]
    ours = [name for name in taps if name in PRESETS.values()]
    assert sorted(path.stem for path in FILES) == sorted([*ours, *PRESETS, LOADER])
    assert [load(path)["name"] for path in FILES] == [path.stem for path in FILES]


def test_keys(definition):
    assert list(definition) == sorted(definition)
    assert {key: type(value) for key, value in definition.items() if key not in OPTIONAL_KEYS} == KEYS
    for name in {"domain_url", *LINKS} & definition.keys():
        assert re.fullmatch(r"https://[^\s/]+\.[^\s]+", definition[name])
    assert definition["maintenance_status"] in {"active", "beta", "development", "inactive", "unknown"}
    assert definition["quality"] in {"gold", "silver", "bronze", "unknown"}
    kind = "loaders" if definition["name"] == LOADER else "extractors"
    assert definition["logo_url"].startswith(f"/assets/logos/{kind}/")
    assert definition["namespace"] == definition["name"].replace("-", "_")
    assert definition["executable"] == PRESETS.get(definition["name"], definition["name"])
    assert "\n" not in definition["description"]


def test_lists(definition):
    for name in ("capabilities", "keywords"):
        assert definition[name] == sorted(set(definition[name]))
    assert set(definition["capabilities"]) <= CAPABILITIES
    versions = definition["supported_python_versions"]
    assert versions
    assert all(re.fullmatch(r"3\.\d+", version) for version in versions)


def test_settings(definition):
    settings = definition["settings"]
    names = [setting["name"] for setting in settings]
    assert names == sorted(set(names))
    for setting in settings:
        assert set(setting) >= NEEDED
        assert set(setting) <= NEEDED | OPTIONAL, setting["name"]
        assert all(isinstance(setting[key], str) and setting[key].strip() for key in NEEDED)
        assert isinstance(setting.get("value"), (VALUES[setting["kind"]], type(None)))
        assert (setting["kind"] == "password") is setting.get("sensitive", False)
        assert (setting["kind"] == "options") is ("options" in setting)
        for option in setting.get("options", ()):
            assert set(option) == {"label", "value"}
        if "sensitive" in setting:
            assert "value" not in setting
    for group in definition["settings_group_validation"]:
        assert set(group) <= set(names)


def test_presets_lack_the_key_alone():
    for preset, parent in PRESETS.items():
        definition, tap = (load(ROOT / "hub" / f"{name}.yml") for name in (preset, parent))
        values = {setting["name"]: setting.get("value") for setting in definition["settings"]}
        assert values.keys() == {setting["name"] for setting in tap["settings"]}
        missing = {name for (group,) in [definition["settings_group_validation"]] for name in group}
        missing = {name for name in missing if values[name] is None}
        key = "bearer_token" if preset == "tap-easypromos" else "api_key"
        assert missing == ({"api_url", key} if preset == "tap-maxio" else {key})


def test_the_settings_are_those_of_the_tap(definition):
    (script,) = entry_points(group="console_scripts", name=definition["executable"])
    schema = getattr(import_module(script.module), script.attr.removesuffix(".cli")).config_jsonschema
    settings = {setting["name"]: setting for setting in definition["settings"]}
    assert definition["settings_group_validation"] == [sorted(schema["required"])]
    for name, field in schema["properties"].items():
        if not field.get("properties"):
            assert settings[name]["description"] == field["description"]
            assert settings[name].get("sensitive", False) is field.get("secret", False)


def test_G03_a_tap_names_the_loader_that_keeps_its_values(definition):
    assert ("usage" in definition) is (definition["name"] != LOADER)
    assert LOADER in definition.get("usage", LOADER)


def installed(pip_url):
    """What a `pip_url` names besides options."""
    words = iter(shlex.split(pip_url))
    for word in words:
        if word == "--constraint":
            next(words)
        elif not word.startswith("-"):
            yield word


def test_G04_what_is_installed_is_a_path_and_no_name_that_anyone_could_register(definition):
    (source,) = installed(definition["pip_url"])
    assert source.startswith("${TAP_SUITE}")
    assert (ROOT / source.removeprefix("${TAP_SUITE}").lstrip("/") / "pyproject.toml").exists()


def test_G04_meltano_installs_ours_by_path():
    plugins = load(ROOT / "meltano.yml")["plugins"]
    urls = [plugin["pip_url"] for kind in plugins.values() for plugin in kind if "pip_url" in plugin]
    names = {source for url in urls for source in installed(url)}
    assert {name for name in names if not name.startswith("${MELTANO_PROJECT_ROOT}")} == OF_OTHERS


def test_G04_the_projects_address_stands_in_one_place(monkeypatch):
    assert all((load(path).keys() >= LINKS) is bool(repository.ADDRESS) for path in FILES)
    project, taps = load(ROOT / "meltano.yml"), all_taps()
    monkeypatch.setattr(repository, "ADDRESS", "https://git.example/us/ours")
    made = hub.definitions(project, taps)
    assert all("repo: https://git.example/us/ours\n" in text for text in made.values())
    assert "docs: https://git.example/us/ours/blob/main/docs/tap-billing.md\n" in made["tap-maxio"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_command_of_the_readme_finds_what_a_definition_selects(file):
    """Meltano leaves it out of what it adds."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^on=\$\((.*)\)$", readme, re.MULTILINE)
    command = line.replace("$TAP_SUITE/hub/tap-maxio.yml", shlex.quote(str(file)))
    found = subprocess.run(["/bin/sh", "-c", command], check=True, capture_output=True, text=True).stdout
    assert json.loads(f"[{found}]") == YAML(typ="safe").load(file).get("select", [])
