"""Runs `instance.py COMMAND` as a container would, asks it for a page, and ends it by SIGINT.

In a network of its own, so that port 8080 is free and nobody else's. Prints JSON.
"""

import json
import signal
import subprocess
import sys
import time
import urllib.request

process = subprocess.Popen(
    ["/app/bin/python", "/opt/instance.py", sys.argv[1]],
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    start_new_session=True,
)
status, body = None, ""
while process.poll() is None and status is None:
    try:
        with urllib.request.urlopen("http://127.0.0.1:8080/") as answer:
            status, body = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError:
        time.sleep(0.1)
if process.poll() is None:
    # To the whole group, as a terminal does: `fg` waits for a process of its own.
    subprocess.os.killpg(process.pid, signal.SIGINT)
output = process.communicate()[0].decode()
print(json.dumps({"status": status, "body": body, "exit": process.returncode, "output": output}))
