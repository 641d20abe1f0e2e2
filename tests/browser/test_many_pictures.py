"""Many pictures on the upload card, by keyboard: one sequence, or pairs; and a folder that is dropped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.conftest import tiny_frame

from .test_story import make_project, sign_up, upload

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """f_8.png to f_12.png without f_10.png, in the order of the alphabet."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in (8, 9, 11, 12):
        Image.fromarray(tiny_frame(number)).save(folder / f"f_{number}.png")
    return sorted(folder.iterdir())


def test_a_sequence_is_uploaded_by_keyboard(page: Page, pictures: list[Path]) -> None:
    sign_up(page, "ray")
    make_project(page, "Sequence")
    upload(page, *pictures)
    expect(page.get_by_text("What are these 4 pictures?")).to_be_visible()
    assert page.locator("figcaption").all_inner_texts() == ["f_8.png", "f_9.png", "f_11.png", "f_12.png"]
    expect(page.locator("#together-sequence")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("12")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile(r"f_1?\d\.png \+ 3 more"))).to_be_visible()
    expect(page.get_by_text("Number 10 is missing.")).to_be_visible()


def test_pairs_are_uploaded_by_keyboard_and_a_job_is_started_for_each(page: Page, pictures: list[Path]) -> None:
    sign_up(page, "rita")
    make_project(page, "Pairs")
    upload(page, *pictures)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("In-between pictures for each pair")).to_be_visible()
    expect(page.get_by_label("Pictures per second")).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("2")
    page.get_by_role("button", name="Upload 4 pictures").press("Enter")
    expect(page.get_by_text("2 pairs kept, and a job started for each.")).to_be_visible()
    expect(page.get_by_role("link", name="f_8-f_9").first).to_be_visible()
    expect(page.get_by_role("link", name="f_11-f_12").first).to_be_visible()


DROP_A_FOLDER = """async (pictures) => {
  const folder = (path, inside) => ({
    name: path.split("/").pop(), isDirectory: true, fullPath: path,
    createReader: () => ({ readEntries(done) { done(inside.splice(0, 1)); } }),  // a reader gives them bit by bit
  });
  const file = async (path, bytes) => ({
    name: path.split("/").pop(), isFile: true, fullPath: path,
    file: (done) => done(new File([new Uint8Array(bytes)], path.split("/").pop(), { type: "image/png" })),
  });
  const scenes = [];
  for (const scene of ["1", "2"]) {
    const inside = [await file(`/set/${scene}/.hidden`, [1])];
    for (const [name, bytes] of pictures) inside.push(await file(`/set/${scene}/${name}`, bytes));
    scenes.push(folder(`/set/${scene}`, inside));
  }
  const event = new Event("drop", { bubbles: true, cancelable: true });
  const items = [{ webkitGetAsEntry: () => folder("/set", scenes) }];
  Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], items, files: [] } });
  document.dispatchEvent(event);
}"""


def test_a_folder_that_is_dropped_is_read_with_the_folders_in_it(page: Page, pictures: list[Path]) -> None:
    sign_up(page, "rob")
    make_project(page, "Folder")
    two = [["im1.png", list(pictures[0].read_bytes())], ["im3.png", list(pictures[1].read_bytes())]]
    page.evaluate(DROP_A_FOLDER, two)
    expect(page.get_by_text("What are these 4 pictures?")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.get_by_label("In-between pictures for each pair").fill("0")
    page.get_by_role("button", name="Upload 4 pictures").click()
    expect(page.get_by_text("2 pairs kept.")).to_be_visible()
    expect(page.get_by_role("link", name="set_2")).to_be_visible()


def test_never_mind_leaves_the_card_as_it_was(page: Page, pictures: list[Path]) -> None:
    sign_up(page, "rose")
    make_project(page, "Never")
    upload(page, *pictures)
    page.get_by_role("button", name="Never mind").click()
    expect(page.get_by_text("What are these")).to_be_hidden()
    expect(page.get_by_role("button", name="Choose files")).to_be_focused()
    expect(page.locator("figure")).to_have_count(0)
