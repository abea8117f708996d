"""docs/guide/report.png: the first screen of the handbook's report, as Chromium draws it at 1280 pixels."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from evalkit.experiment.bundled import folder
from evalkit.experiment.report import HTML
from evalkit.experiment.run import Options, run

PICTURE = Path(__file__).parents[1] / "docs" / "guide" / "report.png"
SIZE = {"width": 1280, "height": 900}


def draw(page: Path, picture: Path) -> None:
    """Open `page` in headless Chromium and write its first screen."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        shown = browser.new_page(viewport=SIZE, color_scheme="light")
        shown.goto(page.resolve().as_uri())
        shown.locator("#browser-count").get_by_text("quer").wait_for()
        shown.screenshot(path=picture)
        browser.close()


def main() -> None:
    """Take the picture of the report in the run directory that is named, or of a fresh run."""
    if len(sys.argv) > 1:
        draw(Path(sys.argv[1]) / HTML, PICTURE)
        return
    with tempfile.TemporaryDirectory() as work:
        draw(run(folder("handbook"), Path(work) / "run", Options(offline=True)).folder / HTML, PICTURE)


if __name__ == "__main__":
    main()
