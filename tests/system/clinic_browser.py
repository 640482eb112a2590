# SPDX-License-Identifier: Apache-2.0
"""People of a clinic at a real browser: Debian's chromium, one profile for each person."""

from __future__ import annotations

import base64
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.patience import PATIENT_S

PASSWORD = "correct horse battery staple"
SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
"""Width and height in CSS pixels."""

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_ASK_AXE = """
const [rules, done] = arguments;
axe.run(document, {runOnly: {type: "tag", values: rules}, resultTypes: ["violations"]}).then(
  (found) => done(found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" | ")}`)),
  (error) => done([String(error)]),
);
"""


def axe_core(folder: Path) -> str:
    """Source of the newest axe-core 4, as npm has it; skips by name where it cannot be had."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    packed = subprocess.run(["npm", "pack", "--silent", "axe-core@4"], cwd=folder, timeout=PATIENT_S, check=False)
    if packed.returncode != 0:
        pytest.skip("npm could not fetch axe-core")
    (archive,) = folder.glob("axe-core-*.tgz")
    with tarfile.open(archive) as opened:
        member = opened.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


_ASK_CUT = """
const shows = (one) => getComputedStyle(one).overflowX === "visible" || one.scrollWidth <= one.clientWidth + 1;
const mayHide = "input, textarea, select, .hidden, [data-stage]";
const cut = [...document.querySelectorAll("main *")].filter((one) => !shows(one) && !one.closest(mayHide))
  .map((one) => `cut off: ${one.outerHTML.slice(0, 120)}`);
const ruler = document.createElement("canvas").getContext("2d"), ARROW = 20;
for (const list of document.querySelectorAll("main select")) {
  if (!list.checkVisibility()) { continue; }
  const style = getComputedStyle(list);
  ruler.font = style.font;
  const room = list.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - ARROW;
  for (const choice of list.options) {
    if (ruler.measureText(choice.text).width > room) { cut.push(`cut off in ${list.name}: ${choice.text}`); }
  }
}
const burned = [...document.querySelectorAll(".burned")].filter((one) => one.checkVisibility());
for (const one of burned) {
  for (const other of burned.slice(burned.indexOf(one) + 1)) {
    const a = one.getBoundingClientRect(), b = other.getBoundingClientRect();
    if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) {
      cut.push(`one over the other: ${one.textContent} ${other.textContent}`);
    }
  }
}
return cut;
"""
"""What does not fit into its own box on a page and is scrolled, shortened or hidden there, or lies over other words."""


_ASK_RINGS = """
const found = [];
const wanted = "a, button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
for (const one of document.querySelectorAll(wanted)) {
  if (!one.checkVisibility({visibilityProperty: true}) || one.matches(":disabled, .hidden, .skip")) { continue; }
  one.focus({focusVisible: true});
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  const ring = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
  if (style.outlineStyle === "none") { found.push(`no ring: ${one.outerHTML.slice(0, 120)}`); }
  for (let up = one.parentElement; up !== document.body; up = up.parentElement) {
    const frame = up.getBoundingClientRect();
    const sides = [frame.left - box.left, frame.top - box.top, box.right - frame.right, box.bottom - frame.bottom];
    const over = Math.max(...sides);
    if (getComputedStyle(up).overflowX !== "visible" && over + ring > 0.5) {
      found.push(`cut ring: ${one.outerHTML.slice(0, 120)}`);
    }
  }
}
return found;
"""
"""What has no ring around it when the keyboard is there, or one that is cut off."""

_ASK_PAPER = """
const seen = (css) => [...document.querySelectorAll(css)].filter((one) => one.checkVisibility());
const pressed = seen("button, form, input, select, textarea, summary, .button").map((one) => one.outerHTML);
const rows = seen("tbody tr").filter((one) => getComputedStyle(one).display !== "table-row").length;
const pictures = document.querySelectorAll(".picture").length - seen(".picture").length;
if (rows) { pressed.push(`${rows} rows are no rows`); }
if (pictures) { pressed.push(`${pictures} pictures are missing`); }
const top = (css) => document.querySelector(css)?.getBoundingClientRect().top;
if (top(".picture") < top(".patient")) { pressed.push("whose exam it is comes after the pictures"); }
return pressed;
"""
"""What is on paper and cannot be pressed there, and what is not there, or not first, and should be."""

_ASK_NEXT = """
const next = document.querySelector(".next").lastElementChild, hidden = [];
for (const share of [0, 0.5, 1]) {
  scrollTo({top: share * document.documentElement.scrollHeight, behavior: "instant"});
  const box = next.getBoundingClientRect();
  const seen = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
  if (!next.contains(seen)) { hidden.push(share); }
}
return hidden;
"""
"""Where on the page, by the share of it that is above, the reader does not see what comes next."""


def gone(element: WebElement) -> bool:
    """Whether an element is of a page that was left; while it is being left, chromedriver has other words for that."""
    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    except WebDriverException as error:
        if "does not belong to the document" not in str(error.msg):
            raise
        return True
    return False


class Person:
    """One person's browser.

    Args:
        base: Address of the pages.
    """

    def __init__(self, base: str) -> None:
        programs = (shutil.which("chromium"), shutil.which("chromedriver"))
        if None in programs:
            pytest.skip("chromium and chromium-driver are not installed")
        options = Options()
        options.binary_location = str(programs[0])
        for word in (
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            "--force-prefers-reduced-motion",  # a colour halfway between two is nothing to be judged
            "--lang=en",
        ):
            options.add_argument(word)
        options.accept_insecure_certs = True  # the clinic's authority is its own
        self.base = base
        self.driver = webdriver.Chrome(options, Service(str(programs[1])))
        self.driver.set_page_load_timeout(PATIENT_S)
        self.driver.set_script_timeout(PATIENT_S)
        self.size("desktop")

    def close(self) -> None:
        self.driver.quit()

    def size(self, name: str) -> None:
        """Look at it on a phone or on a desktop."""
        width, height = SIZES[name]
        shape = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": name == "phone"}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)

    def dark(self, on: bool) -> None:
        """Look at it with the dark theme, or with the light one."""
        wanted = [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})

    def speak(self, language: str) -> None:
        """Choose the language of this browser; an account that has chosen one keeps its own."""
        self.driver.add_cookie({"name": "clinic-language", "value": language, "secure": True, "path": "/"})

    def open(self, path: str) -> None:
        self.driver.get(self.base + path)

    @property
    def path(self) -> str:
        return str(self.driver.current_url).removeprefix(self.base)

    @property
    def text(self) -> str:
        """What can be read on the page."""
        return str(self.driver.find_element(By.TAG_NAME, "main").text)

    def find(self, css: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def has(self, css: str) -> bool:
        return bool(self.driver.find_elements(By.CSS_SELECTOR, css))

    def wait_for(self, css: str, *, there: bool = True) -> None:
        """Wait until something is on the page, or is not any more."""
        WebDriverWait(self.driver, PATIENT_S).until(lambda _: self.has(css) is there)

    def fill(self, **fields: str) -> None:
        """Type into fields by their names; radio buttons and lists are chosen from."""
        for name, value in fields.items():
            found = self.driver.find_elements(By.CSS_SELECTOR, f"main [name={name}]")
            kind = found[0].get_attribute("type")
            if kind in ("radio", "checkbox"):
                self._click(next(one for one in found if one.get_attribute("value") == value))
            elif found[0].tag_name == "select":
                Select(found[0]).select_by_value(value)
            else:
                if kind != "file":
                    found[0].clear()
                found[0].send_keys(value)

    def press(self, words: str) -> None:
        """Press the button or link with these words, and wait for the page that follows."""
        page = self.driver.find_element(By.TAG_NAME, "html")
        wanted = f'//main//*[self::button or self::a][normalize-space()="{words}"]'
        self._click(self.driver.find_element(By.XPATH, wanted))
        WebDriverWait(self.driver, PATIENT_S).until(lambda _: gone(page))

    def reload_until(self, path: str, words: str, times: int = 1) -> None:
        """Load a page again and again until it says something, or says it so many times."""

        def said(_: object) -> bool:
            self.open(path)
            return self.text.count(words) >= times

        WebDriverWait(self.driver, PATIENT_S, poll_frequency=1.0).until(said)

    def sign_in(self, name: str) -> None:
        self.open("/sign-in")
        self.fill(name=name, password=PASSWORD)
        self.press("Sign in")

    def accept(self, code: str, name: str, shown: str) -> None:
        """Make an account with an invitation's code."""
        self.open("/invitation")
        self.fill(code=code, name=name, display_name=shown, password=PASSWORD, again=PASSWORD)
        self.press("Make the account")

    def violations(self, axe: str) -> list[str]:
        """What axe-core says against the page by WCAG 2.2 AA, and what is cut off or wider than the window."""
        self.driver.execute_script(axe)
        found: list[str] = self.driver.execute_async_script(_ASK_AXE, _RULES)
        wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        over = int(self.driver.execute_script(wide))
        cut: list[str] = self.driver.execute_script(_ASK_CUT)
        return found + ([f"the page is {over} pixels wider than the window"] if over > 0 else []) + cut

    def rings(self) -> list[str]:
        """What is wrong with the rings around what the keyboard is on."""
        found: list[str] = self.driver.execute_script(_ASK_RINGS)
        return found

    def without_next(self) -> list[float]:
        """Where on the page of an exam its reader does not see what comes next."""
        found: list[float] = self.driver.execute_script(_ASK_NEXT)
        return found

    def on_paper(self) -> list[str]:
        """What is wrong with the page on a sheet of A4."""
        a4 = {"width": 718, "height": 1046, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", a4)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        try:
            found: list[str] = self.driver.execute_script(_ASK_PAPER)
        finally:
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
            self.size("desktop")
        return found

    def wait_for_pictures(self) -> None:
        """Wait until every picture in sight is there."""
        ready = "return [...document.images].every((one) => one.hidden || (one.complete && one.naturalWidth > 0))"
        hurry = "for (const one of document.images) { one.loading = 'eager'; }"
        self.driver.execute_script(hurry)
        WebDriverWait(self.driver, PATIENT_S).until(lambda _: self.driver.execute_script(ready))

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """Keep the page as a PNG; the whole of it, or what the window shows."""
        asked = {"captureBeyondViewport": whole}
        taken: dict[str, Any] = self.driver.execute_cdp_cmd("Page.captureScreenshot", asked)
        path.write_bytes(base64.b64decode(taken["data"]))

    def _click(self, element: WebElement) -> None:
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()
