"""Chromium, where it is installed: opens a page, presses keys, runs scripts in it, and says what came of it."""

from __future__ import annotations

import base64
import functools
import http.server
import itertools
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE = 390  # pixels of a common phone's width
_TIMEOUT_S = 120.0

# The browser speaks its DevTools protocol on file descriptors 3 and 4: JSON, a zero byte after each message.
_ON_PIPES = ["sh", "-c", 'exec "$@" 3<&0 4>&1 >/dev/null 2>&1', "sh"]
_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--mute-audio", "--remote-debugging-pipe"),
    *("--autoplay-policy=no-user-gesture-required", "--no-first-run"),
]
_KEY_CODES = {"Tab": 9, " ": 32, "ArrowLeft": 37, "ArrowRight": 39}
_COMPLAINTS = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")


class Tab:
    """A page in the browser.

    Attributes:
        complaints: What the console has said.
    """

    def __init__(self, browser: subprocess.Popen[bytes]):
        self._browser = browser
        self._numbers = itertools.count(1)
        self._session: dict[str, str] = {}
        self._events: set[str] = set()
        self.complaints: list[Any] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def open(self, page: Path | str, *, width: int, dark: bool) -> None:
        """Loads a page, a file or an address, into a window of that many pixels."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width <= PHONE}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        self._call("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        while "Page.loadEventFired" not in self._events:
            self._receive()

    def press(self, key: str) -> None:
        """Presses a key and lets it go."""
        about = {"key": key, "windowsVirtualKeyCode": _KEY_CODES.get(key, 0)}
        typed = {"text": key} if len(key) == 1 else {}
        self._call("Input.dispatchKeyEvent", type="keyDown", **about, **typed)
        self._call("Input.dispatchKeyEvent", type="keyUp", **about)

    def run(self, script: str) -> Any:
        """What the body of an async function returns."""
        answer = self._call(
            "Runtime.evaluate",
            expression=f"(async () => {{ {script} }})()",
            awaitPromise=True,
            returnByValue=True,
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """Saves what is to be seen as a PNG."""
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))

    def _call(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters, **self._session}
        assert self._browser.stdin is not None
        self._browser.stdin.write(json.dumps(message).encode() + b"\0")
        self._browser.stdin.flush()
        while (answer := self._receive()).get("id") != number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def _receive(self) -> dict[str, Any]:
        assert self._browser.stdout is not None
        text = bytearray()
        while (byte := self._browser.stdout.read(1)) != b"\0":
            assert byte, "the browser has ended"
            text += byte
        message: dict[str, Any] = json.loads(text)
        if message.get("method") in _COMPLAINTS:
            self.complaints.append(message["params"])
        self._events.add(message.get("method", ""))
        return message


@contextmanager
def opened(
    page: Path | str, folder: Path, *, width: int = 1000, dark: bool = False, flags: Sequence[str] = ()
) -> Iterator[Tab]:
    """A page in a browser; it is a failure if the console has complaints.

    Args:
        page: The page, a file or an address.
        folder: For the browser's profile.
        width: Of the window, pixels.
        dark: Whether the reader prefers dark pages.
        flags: More of the browser's command line.
    """
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    command = [*_ON_PIPES, CHROMIUM, *_FLAGS, *flags, f"--user-data-dir={folder}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as browser:
        limit = threading.Timer(_TIMEOUT_S, browser.kill)
        limit.start()
        try:
            tab = Tab(browser)
            tab.open(page, width=width, dark=dark)
            yield tab
            assert not tab.complaints, tab.complaints
        finally:
            limit.cancel()
            browser.kill()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which a web server shows a folder."""
    handler = functools.partial(_Silent, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


def run_in_page(page: Path, script: str, folder: Path) -> Any:
    """What the body of an async function returns in a page; it is a failure if the console has complaints."""
    with opened(page, folder) as tab:
        return tab.run(script)


def check_look(page: Path | str, folder: Path) -> None:
    """Holds a page to what all are: no wider than a phone, dark where the reader prefers it, no complaint."""
    ask = """
    await new Promise((done) => setTimeout(done, 200));
    const paper = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number);
    return { paper, width: innerWidth, wide: document.documentElement.scrollWidth };
    """
    for dark in (False, True):
        with opened(page, folder, width=PHONE, dark=dark) as tab:
            seen = tab.run(ask)
        assert seen["wide"] <= seen["width"] == PHONE
        assert max(seen["paper"]) < 60 if dark else min(seen["paper"]) > 200
