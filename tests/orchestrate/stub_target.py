"""A target that stores nothing, and returns the STATE that it was given."""

import json
import sys

for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "STATE":
        print(json.dumps(message["value"]))
