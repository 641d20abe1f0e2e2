"""What a run learns from, chosen in a real browser: the uploads of a project, and a folder on the server."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ops.portal import Portal
from tests.training.footage import sliding, write_frames

from .people import Caller
from .test_training import sign_in_as_admin

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LONG_MS = 180_000  # for a few steps, on a busy machine


def begin(page: Page, name: str, words: str) -> None:
    """Fill in the form by keyboard, for a run of one short epoch."""
    page.goto("/training/new/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("radio", name=words).focus()
    page.keyboard.press("Space")
    page.get_by_label("Epochs").fill("1")
    page.get_by_text("More settings").click()
    for label, value in (("Steps in an epoch", 2), ("Batch size", 2), ("Crop, pixels", 64), ("Triplets kept apart", 4)):
        page.get_by_label(label).fill(str(value))


def trained(page: Page, learned_from: str) -> None:
    """It runs to its end, shows its pictures, and its model says what it learned from."""
    page.get_by_role("button", name="Start training").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/training/[0-9a-f-]+/$"))
    expect(page.locator("#training-status .status.succeeded")).to_be_visible(timeout=LONG_MS)
    expect(page.locator("#training-epochs tbody tr")).to_have_count(1)
    name = page.get_by_role("heading", level=1).inner_text()
    page.goto("/models/")
    expect(page.locator(f"#model-{name}")).to_contain_text(learned_from)


def test_a_run_learns_from_a_folder_on_the_server_that_is_offered(page: Page, portal: Portal) -> None:
    for number in range(4):
        write_frames(portal.data / "data" / "training" / "walk" / f"scene_{number}", sliding(12, 96, 128, seed=number))
    sign_in_as_admin(page, portal)
    begin(page, "from_a_folder", "Footage on the server")
    folder = str(portal.data / "data" / "training" / "walk")
    assert folder in page.locator("#folders option").evaluate_all("(all) => all.map((one) => one.value)")
    page.get_by_label("Folder on the server").fill(folder)
    trained(page, "walk")


def test_a_run_learns_from_the_uploads_of_a_project(page: Page, portal: Portal) -> None:
    sign_in_as_admin(page, portal)
    caller = Caller(page.context)
    project = caller.post("projects", {"name": "Rabbits"})["id"]
    caller.upload(project, sample="true")
    begin(page, "from_uploads", "Uploads of a project")
    page.get_by_label("Project", exact=True).select_option(label="Rabbits (1)")
    trained(page, ".mp4")
