"""`python -m tap_suite` is the command `tap-suite`."""

import sys

from tap_suite.cli import main

sys.exit(main())
