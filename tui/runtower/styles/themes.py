"""The three themes. Colour means something or isn't used: state, better or worse, what is chosen."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme


def _series(colours: str) -> dict[str, str]:
    """Eight runs in charts, told apart by the colour-blind too (after Okabe and Ito), each readable as a thin line."""
    return {f"tone-series-{place}": colour for place, colour in enumerate(colours.split(), 1)}


THEMES: Final = (
    Theme(
        name="dark",
        primary="#6cb6ff",
        secondary="#8ddb8c",
        accent="#e3b341",
        foreground="#c9d1d9",
        background="#0d1117",
        surface="#161b22",
        panel="#161b22",
        success="#56d364",
        warning="#e3b341",
        error="#ff7b72",
        dark=True,
        variables={
            "tone-bright": "#f0f6fc",
            "tone-dim": "#8b949e",
            "tone-faint": "#484f58",
            "tone-title": "#a5b3c2",
            "tone-cursor": "#1f3a5f",
            "tone-cursor-away": "#21262d",
            **_series("#56b4e9 #e69f00 #2fc49b #f0e442 #d87bb5 #e8743b #a5a8ff #b0b7bf"),
        },
    ),
    Theme(
        name="light",
        primary="#0550ae",
        secondary="#116329",
        accent="#7d4e00",
        foreground="#24292f",
        background="#ffffff",
        surface="#f6f8fa",
        panel="#f6f8fa",
        success="#116329",
        warning="#7d4e00",
        error="#a40e26",
        dark=False,
        variables={
            "tone-bright": "#000000",
            "tone-dim": "#57606a",
            "tone-faint": "#afb8c1",
            "tone-title": "#424a53",
            "tone-cursor": "#cfe4ff",
            "tone-cursor-away": "#eaeef2",
            **_series("#0072b2 #b35c00 #00805f #8a7a00 #a5457f #c0390b #4b4fc4 #57606a"),
        },
    ),
    Theme(
        name="contrast",
        primary="#00d7ff",
        secondary="#00ff5f",
        accent="#ffff00",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#000000",
        success="#00ff5f",
        warning="#ffd700",
        error="#ff8787",
        dark=True,
        variables={
            "tone-bright": "#ffffff",
            "tone-dim": "#d0d0d0",
            "tone-faint": "#949494",
            "tone-title": "#ffffff",
            "tone-cursor": "#005faf",
            "tone-cursor-away": "#303030",
            **_series("#00d7ff #ffaf00 #00ff87 #ffff5f #ff87d7 #ff8700 #afafff #ffffff"),
        },
    ),
)
