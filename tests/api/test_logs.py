"""The log goes to standard error and nowhere else: what a command prints is read by others."""

import json
import subprocess
import sys

TWO = """
import threading
from api.logs import log
facts = {"trained": True, "为": "什么"}
said = threading.Thread(target=log.info, args=("recognition",), kwargs=facts)
said.start(); said.join()
print("1\\t中关村街道")
"""


def test_a_line_of_the_log_is_json_on_standard_error_before_anything_was_set_up() -> None:
    told = subprocess.run([sys.executable, "-c", TWO], capture_output=True, check=True)
    assert told.stdout.decode() == "1\t中关村街道\n"
    line = json.loads(told.stderr)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"level": "info", "event": "recognition", "trained": True, "为": "什么"}
