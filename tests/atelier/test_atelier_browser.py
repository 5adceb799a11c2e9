"""The atelier in a real headless browser, through JupyterLab and as a web page of Voila's.

It needs what test_jupyterlab.py needs, and `pip install voila`. Its pictures of the page stay in
NST_ARTIFACTS, or in pytest's tmp_path.
"""

import base64
import os
import time
from pathlib import Path

import psutil
import pytest
from PIL import Image
from test_jupyterlab import LAB, SECONDS, browser, serving  # noqa: F401, a fixture

pytestmark = pytest.mark.slow
RUN_ALL = """const app = window.jupyterapp;
if (app?.shell.currentWidget?.sessionContext?.session?.kernel?.status != 'idle') return false;
app.commands.execute('application:toggle-left-area');
app.commands.execute('notebook:run-all-cells');
return true"""
BUTTON = """return [...document.querySelectorAll('.atelier button')].find(
  b => b.innerText.replace('\u2713', '').trim() == arguments[0])"""
TEXT = "return document.querySelector(arguments[0])?.innerText ?? ''"
SOURCE = "return document.querySelector('.atelier-frame img')?.src"
DROP = """const bytes = Uint8Array.from(atob(arguments[2]), c => c.charCodeAt(0));
const files = new DataTransfer();
files.items.add(new File([bytes], arguments[1], { type: 'image/png' }));
document.querySelector(arguments[0]).dispatchEvent(
  new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true }))"""
HOSTS = """return performance.getEntriesByType('resource').map(
  r => new URL(r.name, location).host).filter(host => host && host != location.host)"""
CUT_OFF = """const shown = document.querySelectorAll('.atelier button, .atelier .widget-label');
return [...shown].filter(
  e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)"""


class Visitor:
    """The page as a hand and an eye use it."""

    def __init__(self, chrome, artifacts, kind):
        self.chrome, self.artifacts, self.kind = chrome, artifacts, kind

    def __getattr__(self, script):
        """`visitor.TEXT(selector)` runs the script of that name."""
        return lambda *arguments: self.chrome.execute_script(globals()[script], *arguments)

    def until(self, look, what):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(0.2)
        self.shoot("failed")
        pytest.fail(f"{what}: nothing after {SECONDS} s; the status is {self.status()!r}")

    def click(self, name):
        self.until(lambda: (button := self.BUTTON(name)) and button.is_enabled(), name)
        self.BUTTON(name).click()

    def status(self):
        return self.TEXT(".atelier [role=status]")

    def notice(self, word):
        return self.until(lambda: word in (text := self.TEXT(".atelier-notice")) and text, word)

    def drop(self, name, data, kind="photo"):
        self.DROP(f".atelier-drop-{kind}", name, base64.b64encode(data).decode())

    def shoot(self, name):
        for width in (1280, 700):
            size = {"width": width, "height": 1100, "deviceScaleFactor": 1, "mobile": False}
            self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            self.chrome.execute_script("document.querySelector('.atelier').scrollIntoView()")
            time.sleep(0.5)
            self.chrome.save_screenshot(str(self.artifacts / f"{self.kind}_{name}_{width}.png"))
            assert not self.CUT_OFF()


@pytest.fixture
def visitor(request, browser, tmp_path):  # noqa: F811
    artifacts = Path(os.environ.get("NST_ARTIFACTS", tmp_path)).resolve()
    artifacts.mkdir(parents=True, exist_ok=True)
    arguments, path = LAB, "/lab/tree/notebooks/atelier.ipynb?token=nst"
    if request.param == "voila":
        pytest.importorskip("voila", reason="needs: pip install voila")
        arguments, path = ["notebooks/atelier.ipynb"], "/"
    downloads = {"behavior": "allow", "downloadPath": str(tmp_path / "downloads")}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", downloads)
    with serving(request.param, arguments, tmp_path, NST_FAST="") as address:
        browser.get(address + path)
        came = Visitor(browser, artifacts, request.param)
        if request.param == "jupyterlab":
            came.until(came.RUN_ALL, "a kernel")
        yield came


@pytest.mark.parametrize("visitor", ["jupyterlab", "voila"], indirect=True)
def test_choose_paint_stop_save_and_a_broken_file(visitor, tmp_path):
    visitor.click("night")
    visitor.drop("<b>broken</b>.png", b"hello")
    assert "<b>broken</b>.png" in visitor.notice("no picture")
    before = visitor.SOURCE()
    visitor.click("Paint")
    started = time.monotonic()
    visitor.until(lambda: visitor.SOURCE() != before, "a first change")
    print(f"{visitor.kind}: first change after {time.monotonic() - started:.1f} s")
    visitor.shoot("paints")
    visitor.click("Stop")
    visitor.until(lambda: "Stopped" in visitor.status(), "stopped")
    visitor.click("Save")
    visitor.notice("my_astronaut_night")
    course = tmp_path / "course" / "images" / "generated"
    folder = course if visitor.kind == "jupyterlab" else tmp_path / "downloads"
    saved = visitor.until(lambda: list(folder.glob("my_astronaut_night*.png")), "a file")
    with Image.open(saved[0]) as picture:
        assert max(picture.size) == 320
    visitor.shoot("saved")
    if visitor.kind == "voila":
        assert not list(course.glob("my_*")), "a visitor's picture is on the server"
        kernels = [p for p in psutil.Process().children(recursive=True) if is_kernel(p)]
        assert len(kernels) == 1
        visitor.chrome.get("about:blank")
        visitor.until(lambda: not kernels[0].is_running(), "the end of the kernel")
    else:
        assert not visitor.HOSTS(), "the page fetches something from elsewhere"


def is_kernel(process):
    try:
        return "ipykernel_launcher" in " ".join(process.cmdline())
    except psutil.Error:
        return False
