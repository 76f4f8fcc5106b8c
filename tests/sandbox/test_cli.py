"""The command line, as a user runs it."""

from __future__ import annotations

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
import requests

from api_sandbox.cli import main


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


@pytest.fixture
def run(tmp_path, port):
    """Run a command in a folder of its own; what it started is stopped at the end."""
    (tmp_path / ".meltano").mkdir()

    def run(command):
        arguments = [sys.executable, "-W", "error", "-m", "api_sandbox", command, "--port", port]
        done = subprocess.run(
            arguments, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
        )
        return done.returncode, (done.stdout if done.returncode == 0 else done.stderr).strip()

    yield run
    run("down")


def test_up_and_down_are_idempotent(run, port, tmp_path):
    code, line = run("up")
    assert (code, line.count("\n")) == (0, 0)
    assert f"up at http://127.0.0.1:{port}" in line
    pid = int((tmp_path / f".meltano/run/sandbox-{port}.pid").read_text())
    assert (tmp_path / f".meltano/run/sandbox-{port}.log").exists()
    assert requests.get(f"http://127.0.0.1:{port}/_sandbox/", timeout=5).json()["pid"] == pid
    code, line = run("up")
    assert code == 0
    assert f"running already at http://127.0.0.1:{port} (process {pid})" in line
    assert run("down") == (0, f"Sandbox at http://127.0.0.1:{port} stopped")
    assert not (tmp_path / f".meltano/run/sandbox-{port}.pid").exists()
    assert run("down") == (0, f"Sandbox is not running at http://127.0.0.1:{port}")
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/", timeout=1)


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_port_that_is_taken_is_named(run, port, command):
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", int(port)), http.server.SimpleHTTPRequestHandler
    ) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        code, line = run(command)
        other.shutdown()
        thread.join()
    assert code == 1
    assert line == f"api-sandbox: 127.0.0.1:{port} is taken by another program; choose another --port"


def test_a_silent_port_that_is_taken_is_named(run, port):
    with socket.create_server(("127.0.0.1", int(port))):
        code, line = run("serve")
    assert code == 1
    assert "Address already in use" in line


def test_serve_stops_on_interrupt(port):
    command = [sys.executable, "-W", "error", "-m", "api_sandbox", "serve", "--port", port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == f"Sandbox listens at http://127.0.0.1:{port}, key: sandbox-key\n"
        url = f"http://127.0.0.1:{port}/events/v1/users"
        assert requests.get(url, headers={"x-api-key": "sandbox-key"}, timeout=5).status_code == 200
        os.kill(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "Sandbox stopped\n", "")


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_named(port, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["up", "--port", port])
    assert stopped.value.code == 2
    assert f"'{port}' is no port: choose one from 1 to 65535" in capsys.readouterr().err
