"""``python -m api_sandbox`` is the command ``api-sandbox``."""

from __future__ import annotations

import sys

from api_sandbox.cli import main

if __name__ == "__main__":
    sys.exit(main())
