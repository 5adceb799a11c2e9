"""JupyterLab in a real headless browser, driven as by a student.

It needs Chromium and its driver (Debian: `apt-get install chromium chromium-driver`) and
`pip install selenium`. Its pictures of the page stay in NST_ARTIFACTS, or in pytest's tmp_path.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from test_environments import course_copy

pytestmark = pytest.mark.slow
SECONDS = 240  # for one cell; TensorFlow's first import takes long on a busy machine
OPEN = """const done = arguments[arguments.length - 1], id = arguments[0];
const book = window.jupyterapp?.shell.currentWidget?.content;
const at = book?.widgets?.findIndex(w => w.model.id == id || w.model.sharedModel.id == id) ?? -1;
const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
if (at < 0 || kernel?.status != 'idle') done(null);
else { book.activeCellIndex = at; book.mode = 'command';
       book.scrollToItem(at, 'start').then(() => {
         book.activate(); done(book.activeCell.node); }); }"""

RAN = "return /\\[\\d+\\]/.test(arguments[0].querySelector('.jp-InputPrompt').innerText)"
PREVIEW = "return (arguments[0].querySelector('.jp-OutputArea img')?.naturalWidth ?? 0) > 500"
COLOUR = """const spans = [...arguments[0].querySelectorAll('.jp-OutputArea span')];
const line = spans.find(s => s.innerText == 'gram_matrix: right. 20 of 20 points.');
return line && getComputedStyle(line).color"""


@pytest.fixture
def browser():
    """Chromium with a window of 1100 x 1000 pixels."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs: pip install selenium")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("needs: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1100,1000"):
        options.add_argument(f"--{flag}")
    chrome = webdriver.Chrome(options, webdriver.ChromeService(driver))
    chrome.set_script_timeout(60)
    yield chrome
    chrome.quit()


@pytest.fixture
def lab(tmp_path):
    """The address of a JupyterLab server that shows a copy of the course."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["--no-browser", "--allow-root", f"--port={port}", "--port-retries=0"]
    arguments += ["--IdentityProvider.token=nst", "--LabApp.expose_app_in_browser=True"]
    folder = course_copy(tmp_path / "course")
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *arguments],
            cwd=folder, env={**os.environ, "HOME": str(tmp_path)}, stdout=log, stderr=log,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{address}/api", timeout=5).close()
            break
        except OSError:
            assert server.poll() is None, (tmp_path / "server.log").read_text()
            time.sleep(0.5)
    yield f"{address}/lab/tree/notebooks/neural_style_transfer.ipynb?token=nst"
    server.terminate()
    server.wait(30)


class Lab:
    """JupyterLab in the browser, as a hand and an eye use it."""

    def __init__(self, browser, artifacts):
        self.browser, self.artifacts = browser, artifacts

    def until(self, look, what):
        """Wait for what `look` finds."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(0.3)
        self.shoot("lab_failed")
        pytest.fail(f"{what}: nothing after {SECONDS} s, see {self.artifacts}/lab_failed.png")

    def cell(self, name):
        """Scroll to a cell, when the kernel is idle, and give its element."""
        return self.until(lambda: self.browser.execute_async_script(OPEN, name), name)

    def run(self, name, expected):
        """Run a cell with Shift and Enter, until the script `expected` gives something."""
        from selenium.webdriver import ActionChains, Keys

        self.cell(name)
        keys = ActionChains(self.browser).key_down(Keys.SHIFT).send_keys(Keys.ENTER)
        keys.key_up(Keys.SHIFT).perform()
        what = f"{name} {expected}"
        return self.until(lambda: self.browser.execute_script(expected, self.cell(name)), what)

    def answer(self, name, line):
        """Type `line` in the place of the stub's error."""
        from selenium.webdriver import ActionChains, Keys

        lines = self.cell(name).find_elements("css selector", ".cm-line")
        next(found for found in lines if "NotImplementedError" in found.text).click()
        keys = ActionChains(self.browser).send_keys(Keys.END).key_down(Keys.SHIFT)
        keys.send_keys(Keys.HOME).key_up(Keys.SHIFT).send_keys(line).perform()

    def shoot(self, name):
        self.browser.save_screenshot(str(self.artifacts / f"{name}.png"))


def test_a_student_solves_exercise_2(browser, lab, tmp_path):
    """Run the first cells, type the answer, and see the success line and the previews."""
    artifacts = Path(os.environ.get("NST_ARTIFACTS", tmp_path)).resolve()
    artifacts.mkdir(parents=True, exist_ok=True)
    student = Lab(browser, artifacts)
    browser.get(lab)
    for name in ("cell-003", "cell-003b", "cell-004", "cell-005b"):
        student.run(name, RAN)
    for name in ("cell-006", "cell-008"):
        student.run(name, PREVIEW)
    student.cell("cell-008")
    student.shoot("lab_preview")
    student.answer("gram-matrix", "return A @ tf.transpose(A)")
    student.run("gram-matrix", RAN)
    colours = re.findall(r"\d+", student.run("check-gram-matrix", COLOUR))[:3]
    red, green, blue = map(int, colours)
    assert green > 2 * max(red, blue), "the line of success is green"
    student.cell("gram-matrix")
    student.shoot("lab_exercise_2")
    print(f"screenshots: {artifacts}")
