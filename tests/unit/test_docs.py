"""The pages made from the code are up to date."""

from __future__ import annotations

from pathlib import Path

from runtower.actions import ACTIONS
from runtower.commands.docs import keys_page, settings_page

DOCS = Path(__file__).parents[2] / "docs"


def test_keys_page_is_up_to_date() -> None:
    assert (DOCS / "keys.md").read_text(encoding="utf-8") == keys_page(), "run: runtower docs docs"


def test_settings_page_is_up_to_date() -> None:
    assert (DOCS / "settings.md").read_text(encoding="utf-8") == settings_page(), "run: runtower docs docs"


def test_every_action_is_on_the_page() -> None:
    page = keys_page()
    assert all(f"`{action.id}`" in page for action in ACTIONS)
