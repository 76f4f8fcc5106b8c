"""What Meltano knows of the project: plugins, settings, variables, folders. Only here it is asked."""

from __future__ import annotations

import logging
import os
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import structlog
from meltano.core.error import ProjectNotFound
from meltano.core.plugin.base import PluginType
from meltano.core.plugin.error import PluginNotFoundError
from meltano.core.plugin.settings_service import PluginSettingsService
from meltano.core.project import Project
from meltano.core.settings_store import SettingValueStore

from tap_suite.accounts import Refused

if TYPE_CHECKING:
    from meltano.core.plugin.project_plugin import ProjectPlugin
    from meltano.core.setting_definition import SettingDefinition

TARGET_SCHEMA = "default_target_schema"
"""The setting by which most targets are told the schema."""

_OUR_LOADER = "target-duckdb-exact"
_OF_THE_PROJECT = {SettingValueStore.MELTANO_YML, SettingValueStore.DEFAULT}


class Plugin:
    """A tap or a target of the project.

    Args:
        project: Meltano's.
        plugin: Meltano's.
    """

    def __init__(self, project: Project, plugin: ProjectPlugin) -> None:
        self._project = project
        self._plugin = plugin
        self._service = PluginSettingsService(project, plugin)
        self.groups: list[list[str]] = plugin.settings_group_validation or []
        self.is_our_loader = plugin.executable == _OUR_LOADER

    @cached_property
    def _definitions(self) -> dict[str, SettingDefinition]:
        return {setting.name: setting for setting in self._service.definitions(extras=False)}

    @cached_property
    def settings(self) -> dict[str, str]:
        """The environment variable of each setting."""
        found = self._definitions.items()
        return {name: self._service.setting_env_vars(setting)[0].key for name, setting in found}

    @cached_property
    def secrets(self) -> frozenset[str]:
        """The settings that are secrets."""
        return frozenset(name for name, setting in self._definitions.items() if setting.is_redacted)

    def other_kind(self, name: str, text: str) -> str:
        """The kind of a setting, if Meltano can't read a text as one of it; else empty."""
        setting = self._definitions[name]
        try:
            setting.cast_value(text)
        except (ValueError, ArithmeticError):
            return str(setting.kind)
        return ""

    def option(self, name: str) -> str:
        """The environment variable of one of Meltano's own settings of a plugin, such as `_select`."""
        found = self._service.definitions(extras=True)
        return next(self._service.setting_env_vars(one)[0].key for one in found if one.name == name)

    def has_own(self, name: str) -> bool:
        """Whether the project gives a setting a value that is meant for this plugin.

        What stands in the environment, or is lent by a parent's environment, is some account's.
        """
        value, found = self._service.get_with_metadata(name)
        source = found["source"]
        if source is SettingValueStore.INHERITED:
            return bool(value) and found.get("inherited_source") in _OF_THE_PROJECT
        return bool(value) and source in {*_OF_THE_PROJECT, SettingValueStore.MELTANO_ENVIRONMENT}

    def value(self, name: str) -> Any:
        """The value of a setting, wherever it comes from."""
        return self._service.get(name)

    @cached_property
    def tells_schemas_apart(self) -> bool:
        """Whether a target has a place of its own for each schema that Meltano names to it."""
        if TARGET_SCHEMA in self.settings:
            return True
        probe = "tells-schemas-apart"
        named = {"MELTANO_EXTRACT__LOAD_SCHEMA": probe}
        service = PluginSettingsService(self._project, self._plugin, env_override=named)
        return any(probe in str(value) for value in service.as_dict(extras=False).values())


class MeltanoProject:
    """The Meltano project in this folder, or in one above it, in the environment that Meltano would take.

    Raises:
        Refused: There is none.
    """

    command: ClassVar[list[str]] = [str(Path(sys.executable).with_name("meltano"))]

    def __init__(self) -> None:
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )
        try:
            self._project = Project.find()
        except ProjectNotFound:
            raise Refused("no Meltano project is here: change to its folder first") from None
        name = self.variable("MELTANO_ENVIRONMENT") or self._project.settings.get("default_environment")
        if not name or name.lower() == "null":
            raise Refused("no Meltano environment is chosen: set MELTANO_ENVIRONMENT, to prod for instance")
        names = [environment.name for environment in self._project.meltano.environments]
        if name not in names:
            raise Refused(f"there is no Meltano environment {name}; there are: {', '.join(names)}")
        self._project.activate_environment(name)
        self.environment: str = name
        self.root: Path = self._project.root
        self.system_folder: Path = self._project.sys_dir_root
        self._plugins: dict[tuple[str, str], Plugin | None] = {}

    def variable(self, name: str) -> str | None:
        """A variable of the environment, or of the project's `.env`; None if it is in neither or empty."""
        return os.environ.get(name) or self._project.dotenv_env.get(name) or None

    def tap(self, name: str) -> Plugin | None:
        """A tap; None if the project has none of this name."""
        return self._plugin(name, "extractors")

    def target(self, name: str) -> Plugin | None:
        """A target; None if the project has none of this name."""
        return self._plugin(name, "loaders")

    @property
    def has_own_databases(self) -> bool:
        """Whether each system folder has a system database in it, as by default, that nobody else uses."""
        source = self._project.settings.get_with_metadata("database_uri")[1]["source"]
        return source is SettingValueStore.DEFAULT

    def _plugin(self, name: str, kind: str) -> Plugin | None:
        if (name, kind) not in self._plugins:
            try:
                found = self._project.plugins.find_plugin(name, plugin_type=PluginType(kind))
                self._plugins[name, kind] = Plugin(self._project, found)
            except PluginNotFoundError:
                self._plugins[name, kind] = None
        return self._plugins[name, kind]
