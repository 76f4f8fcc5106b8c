"""A local server that speaks the APIs which the taps read, for demos, tests and benchmarks.

The taps never import it. ``with Sandbox() as sandbox:`` serves it on a free port,
``api-sandbox serve`` on a fixed one.
"""

from __future__ import annotations

try:
    from api_sandbox.api import SANDBOX_KEY, Api, Call, Reply
    from api_sandbox.app import APIS, create_app
    from api_sandbox.changes import Change
    from api_sandbox.data import Data
    from api_sandbox.faults import Fault
    from api_sandbox.server import Sandbox
except ModuleNotFoundError as missing:  # the taps install without what a server needs
    msg = f"{missing.name} is not installed: pip install 'tap-suite[sandbox]', or '.[sandbox]' in the source"
    raise ModuleNotFoundError(msg) from None

__all__ = ["APIS", "SANDBOX_KEY", "Api", "Call", "Change", "Data", "Fault", "Reply", "Sandbox", "create_app"]
