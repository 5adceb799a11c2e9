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


def test_a_student_solves_exercise_2(browser, lab, tmp_path):
    """Run the first cells, type the answer, and see the success line and the previews."""
    from selenium.webdriver import ActionChains, Keys

    artifacts = Path(os.environ.get("NST_ARTIFACTS", tmp_path)).resolve()
    artifacts.mkdir(parents=True, exist_ok=True)

    def until(look, what):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(0.3)
        browser.save_screenshot(str(artifacts / "lab_failed.png"))
        pytest.fail(f"{what}: nothing after {SECONDS} s, see {artifacts}/lab_failed.png")

    def cell(name):
        """Scroll to a cell, when the kernel is idle, and give its element."""
        return until(lambda: browser.execute_async_script(OPEN, name), name)

    def run(name, expected):
        cell(name)
        ActionChains(browser).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(
            Keys.SHIFT
        ).perform()
        return until(lambda: browser.execute_script(expected, cell(name)), f"{name} {expected}")

    ran = "return /\\[\\d+\\]/.test(arguments[0].querySelector('.jp-InputPrompt').innerText)"
    preview = "return (arguments[0].querySelector('.jp-OutputArea img')?.naturalWidth ?? 0) > 500"
    browser.get(lab)
    for name, expected in {
        "cell-003": ran,
        "cell-003b": ran,
        "cell-004": ran,
        "cell-005b": ran,
        "cell-006": preview,
    }.items():
        run(name, expected)
    run("cell-008", preview)
    cell("cell-008")
    browser.save_screenshot(str(artifacts / "lab_preview.png"))

    lines = cell("gram-matrix").find_elements("css selector", ".cm-line")
    stub = next(line for line in lines if "NotImplementedError" in line.text)
    stub.click()
    edit = ActionChains(browser).send_keys(Keys.END).key_down(Keys.SHIFT).send_keys(Keys.HOME)
    edit.key_up(Keys.SHIFT).send_keys("return A @ tf.transpose(A)").perform()
    run("gram-matrix", ran)
    red, green, blue = map(int, re.findall(r"\d+", run("check-gram-matrix", COLOUR))[:3])
    assert green > 2 * max(red, blue), "the line of success is green"
    cell("gram-matrix")
    browser.save_screenshot(str(artifacts / "lab_exercise_2.png"))
    print(f"screenshots: {artifacts}")
