"""A tap of one record, whose STATE is its account's: notes whose it was given, once all taps have theirs."""

import json
import sys
import time
from pathlib import Path

options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
config = json.loads(Path(options["--config"]).read_text())
account, folder = config["account_name"], Path(config["folder"])
run = sum(1 for _ in folder.glob(f"{account}.*.began"))
(folder / f"{account}.{run}.began").touch()

# Each is given a file; that file is read when all have been given theirs.
end = time.monotonic() + 60
while len([*folder.glob(f"*.{run}.began")]) < int(config["together"]) and time.monotonic() < end:
    time.sleep(0.02)
state = json.loads(Path(options["--state"]).read_text()) if "--state" in options else {}
(folder / f"{account}.{run}.seen").write_text(json.dumps(state))

schema = {"properties": {"id": {"type": "integer"}}}
print(json.dumps({"type": "SCHEMA", "stream": "books", "schema": schema, "key_properties": ["id"]}))
print(json.dumps({"type": "RECORD", "stream": "books", "record": {"id": 1}}))
print(json.dumps({"type": "STATE", "value": {"of": account}}))
