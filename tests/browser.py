"""Chromium, where it is installed: opens a page, runs a script in it, and says what came of it."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def run_in_page(page: Path, script: str, folder: Path) -> Any:
    """What an async script returns in a page; it is a failure if the console has complaints.

    Args:
        page: The page; a copy beside it is opened.
        script: The body of an async function.
        folder: For the browser's profile.
    """
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    asked = f"""<script>
    window.onerror = (message) => document.body.setAttribute("data-broken", message);
    (async () => {{ {script} }})()
      .catch((error) => ({{ thrown: String(error) }}))
      .then((found) => document.body.setAttribute("data-found", JSON.stringify(found)));
    </script></body>"""
    copy = page.with_name(f"asked-{page.name}")
    copy.write_text(page.read_text(encoding="utf-8").replace("</body>", asked), encoding="utf-8")
    command = [
        CHROMIUM,
        *(
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--mute-audio",
            f"--user-data-dir={folder}",
        ),
        *("--autoplay-policy=no-user-gesture-required", "--enable-logging=stderr", "--window-size=1000,900"),
        *("--virtual-time-budget=60000", "--dump-dom", copy.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    complaints = [line for line in done.stderr.splitlines() if ":CONSOLE:" in line]
    assert not complaints, complaints
    assert "data-broken" not in done.stdout.partition("<script")[0]
    found = re.search(r'data-found="([^"]*)"', done.stdout)
    assert found is not None, done.stdout[-2000:] + done.stderr[-2000:]
    result = json.loads(unescape(found[1]))
    assert not (isinstance(result, dict) and "thrown" in result), result
    return result
