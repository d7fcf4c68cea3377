"""An adapter for ``tunnelspec conform gateway --adapter 'python adapter.py'``, as small as can be: it starts the reference gateway.

It shows the line protocol of ``../README.md``: ``start``, ``place`` and ``door`` are where yours does what your gateway needs.
"""

import json
import signal
import subprocess
import sys

LIMITS = {"open_timeout_ms": 400, "backoff_ms": 250, "gc_interval_ms": 150, "ack_timeout_ms": 900, "max_retries": 1}
gateway, address, http, places = None, "", "", 0


def start(request):
    global gateway, address, http
    flags = [word for name, value in LIMITS.items() for word in ("--" + name.replace("_", "-"), str(value))]
    command = [sys.executable, "-m", "tunnelcli.main", "gateway", *flags]
    gateway = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    listening = json.loads(gateway.stdout.readline())
    address, http = listening["url"].removeprefix("ws://"), listening["http"]
    return {
        "name": "adapted",
        "limits": LIMITS,
        "unsupported": {"CONN-G-10/*": "an example of what a gateway may lack"},
    }


def stop(request):
    gateway.send_signal(signal.SIGTERM)
    gateway.wait(10)
    return {}


def alive(request):
    return {"alive": gateway.poll() is None}


def place(request):
    global places
    places += 1
    name = f"actor{places}"
    return {"runner_url": f"ws://{address}/runners/connect", "actor_names": [name], "data": {"actor": name}}


def door(request):
    actor = request["data"]["actor"]
    return {"client_url": f"ws://{address}/ws/{actor}/", "request_url": f"{http}/request/{actor}"}


for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(globals()[request["do"]](request)), flush=True)
    if request["do"] == "stop":
        break
