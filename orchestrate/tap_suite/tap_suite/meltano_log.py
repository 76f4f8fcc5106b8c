"""Reads the log of a `meltano run`: what the tap did, and why it failed."""

from __future__ import annotations

import json
import re
from typing import Any

_PARTLY = "partly read: "
_METRIC = re.compile(r"METRIC: (\{.*\})")
_SHORTEST = 4
"""Shorter values are no secrets, and would blot out half of the log."""

_MAY_PASS = re.compile(r"\brun again\b|\block_timeout\b")
"""In what taps and loader say of a failure that may be gone at the next try."""


class LogReader:
    """What is read from Meltano's log in JSON, line by line.

    Args:
        secrets: Values to mask in all that comes out.
    """

    def __init__(self, secrets: tuple[str, ...]) -> None:
        forms = {
            form
            for secret in secrets
            for form in (secret, json.dumps(secret)[1:-1])
            if len(form) >= _SHORTEST
        }
        self._secrets = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))) or r"(?!)")
        self.rows: int | None = None
        """Records that the tap wrote; None if it does not say."""
        self.tap_process = 0
        """The tap's process; 0 if it does not say."""
        self.tap_line = ""
        """The tap's last line, without those of metrics."""
        self.exit_codes: dict[str, int] = {}
        """Codes other than 0, by `extractors` and `loaders`."""
        self._errors: dict[str, str] = {}

    def take(self, line: str) -> str:
        """Take note of a line; returns it as a person reads it, without secrets."""
        line = self._secrets.sub("(secret)", line.rstrip("\n"))
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or "event" not in entry:
            self._note_text("meltano", line)
            return line
        who = "tap" if entry.get("producer") else "target" if entry.get("consumer") else "meltano"
        event = " ".join(str(entry["event"]).split("\n")) if who != "meltano" else str(entry["event"])
        if who == "tap" and isinstance(entry.get("pid"), int):
            self.tap_process = entry["pid"]
        if isinstance(entry.get("exit_codes"), dict):
            self.exit_codes = {str(plugin): code for plugin, code in entry["exit_codes"].items()}
        metric = entry.get("metric_info")
        if isinstance(metric, dict):
            self._count(metric)
            event = f"METRIC: {json.dumps(metric)}"
        else:
            self._note_text(who, event, is_error=entry.get("level") in {"error", "critical"})
            if entry.get("err"):
                event = f"{event}: {entry['err']}"
                self._errors["meltano"] = str(entry["err"])
        name = entry.get("string_id") or "meltano"
        return f"{entry.get('timestamp', '')} {entry.get('level', 'info'):<8} {name}: {event}"

    @property
    def partly(self) -> bool:
        """Whether the tap has read some streams and not others, and all that it wrote was loaded."""
        return self.tap_line.startswith(_PARTLY) and "loaders" not in self.exit_codes

    def why(self, code: int) -> str:
        """Why the run failed, in a line."""
        if self.partly:
            return self.tap_line
        of_tap, of_target = self._errors.get("tap", ""), self._errors.get("target", "")
        if "extractors" in self.exit_codes:
            of_tap = of_tap or self.tap_line
        said = [of_target, of_tap] if "loaders" in self.exit_codes else [of_tap, of_target]
        why = next(filter(None, [*said, self._errors.get("meltano")]), f"meltano ended with code {code}")
        return " ".join(why.split())  # Meltano's own can have several

    @property
    def may_pass(self) -> bool:
        """Whether trying again may help: what failed says so, or was killed and could not say anything."""
        if any(code < 0 for code in self.exit_codes.values()):
            return True
        return bool(_MAY_PASS.search(" ".join(self._errors.values())))

    def _note_text(self, who: str, text: str, *, is_error: bool = False) -> None:
        metric = _METRIC.search(text)
        if metric:
            try:
                self._count(json.loads(metric[1]))
            except ValueError:
                return
        elif who == "tap":
            self.tap_line = text
        if is_error:
            self._errors[who] = text

    def _count(self, metric: Any) -> None:
        if metric.get("metric") == "record_count" and isinstance(metric.get("value"), int):
            self.rows = (self.rows or 0) + metric["value"]
