"""Who says yes to a promotion: a flag, or the person at the terminal, who types the name of what is protected."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from runtower.acts.preparing import Prepared
from runtower.acts.promotion_words import question
from runtower.domain.errors import Invalid
from runtower.domain.promotions import Destination, Promotion
from runtower.present.spans import inert


@dataclass(frozen=True)
class Yes:
    """`given` is --yes, `typed` the name that --yes-protected has, None without it."""

    given: bool = False
    typed: str | None = None

    def asks(self, protected: bool) -> bool:
        """Whether somebody has to be asked."""
        return self.typed is None and (protected or not self.given)


def can_ask() -> bool:
    """Whether somebody is at the terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def check_yes(yes: Yes, word: str, protected: bool, to: Destination) -> None:
    """`word` is the name of the model that changes. Raises Invalid where the flags don't say yes and nobody can."""
    if yes.typed is not None and yes.typed != word:
        raise Invalid(f"--yes-protected '{yes.typed}' isn't the name of the model that changes.", f"That is '{word}'.")
    if not yes.asks(protected) or can_ask():
        return
    if protected:
        text = f"{to.shown} is protected, and nobody is here to type the model's name."
        raise Invalid(text, f"Add --yes-protected {word}, or --dry-run.")
    raise Invalid("A promotion wants a yes, and nobody is here to give it.", "Add --yes, or --dry-run.")


def ask(prepared: Prepared, promotion: Promotion, address: str, command: str) -> None:
    """Raises click.Abort for a no."""
    click.echo(err=True)
    for text, _ in question(prepared, promotion, address, command):
        click.echo(f"  {inert(text)}".rstrip(), err=True)
    word = prepared.word
    with _interruptible():
        if not word:
            click.confirm("Go on?", abort=True, err=True)
        elif (typed := click.prompt(f"Type {word} to go on", default="", show_default=False, err=True)) != word:
            if typed:
                click.echo(f"'{inert(typed)}' isn't {word}.", err=True)
            raise click.Abort


def ask_reason() -> str:
    """Why a version goes back. Raises Invalid where there is none."""
    reason: str = click.prompt("Why?", default="", show_default=False, err=True).strip() if can_ask() else ""
    if not reason:
        raise Invalid("A rollback wants a reason, which is recorded.", "Add --reason TEXT.")
    return reason


@contextmanager
def _interruptible() -> Iterator[None]:
    """An event loop keeps ctrl+c for its next turn, which doesn't come while a question stands there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
