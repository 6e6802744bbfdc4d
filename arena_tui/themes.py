"""Two themes beside Textual's own: one of high contrast, one whose colours any eye tells apart."""

from textual.theme import Theme

# Okabe and Ito (2008), "Color Universal Design": told apart with any of the common kinds of colour blindness.
SAFE = Theme(
    name="arena-safe",
    primary="#0072b2",
    secondary="#56b4e9",
    warning="#e69f00",
    error="#d55e00",
    success="#009e73",
    accent="#f0e442",
    foreground="#e8e8e8",
    background="#121212",
    surface="#1a1a1a",
    panel="#262626",
    dark=True,
)
CONTRAST = Theme(
    name="arena-contrast",
    primary="#00afff",
    secondary="#ffffff",
    warning="#ffff00",
    error="#ff5f5f",
    success="#00ff5f",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#303030",
    dark=True,
    variables={"text-muted": "#ffffff", "text-disabled": "#d0d0d0"},
)
OWN = (SAFE, CONTRAST)
# What one key goes through; the palette offers all that Textual has.
CYCLE = ("textual-dark", "textual-light", SAFE.name, CONTRAST.name)

# Colours of runs by theme, ten each; a light theme needs darker ones, or yellow and pink vanish.
_DARK = ("#5fafff", "#ffaf5f", "#87d787", "#ff87af", "#d7af87", "#af87ff", "#5fd7d7", "#d7d75f", "#ff8787", "#a8a8a8")
_LIGHT = ("#005fd7", "#af5f00", "#008700", "#d7005f", "#875f00", "#5f00d7", "#008787", "#6c6c00", "#d70000", "#585858")
_SAFE = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#4a8fd0", "#d55e00", "#cc79a7", "#bbbbbb", "#ffffff", "#8a8a8a")
N_COLOURS = len(_DARK)


def run_colours(theme: Theme) -> tuple[str, ...]:
    """The colours of runs on this theme's background."""
    if theme.name == SAFE.name:
        return _SAFE
    return _DARK if theme.dark else _LIGHT
