"""A local server that speaks the APIs which the taps read, for demos, tests and benchmarks.

The taps never import it. ``with Sandbox() as sandbox:`` serves it on a free port,
``api-sandbox serve`` on a fixed one.
"""

from __future__ import annotations

from api_sandbox.api import SANDBOX_KEY, Api, Call, Reply
from api_sandbox.app import APIS, create_app
from api_sandbox.changes import Change
from api_sandbox.data import Data
from api_sandbox.faults import Fault
from api_sandbox.server import Sandbox

__all__ = ["APIS", "SANDBOX_KEY", "Api", "Call", "Change", "Data", "Fault", "Reply", "Sandbox", "create_app"]
