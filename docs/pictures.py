"""The picture of the app, made from what ships: `python docs/pictures.py` writes tour.svg beside itself.

It is one SVG that shows its frames in turn, and the first of them alone where nothing may move.
"""

import asyncio
import re
from pathlib import Path

from textual.pilot import Pilot

from arena_tui.app import ArenaApp
from arena_tui.memory import Memory

SIZE = (116, 34)
STUDY = "measured-fighters"
SECONDS_A_FRAME = 3
# What is pressed before each frame is taken.
TOUR: tuple[tuple[str, ...], ...] = (
    (),
    ("j", "j", "j", "j"),
    ("enter",),
    ("escape", "space", "j", "space", "j", "space", "v"),
    ("2",),
    ("3",),
    ("6",),
    ("8",),
)
# rich names a picture's classes by its content, so frames keep theirs in one file
_HEAD = re.compile(r'<svg class="rich-terminal" viewBox="([^"]+)"[^>]*>')


async def frames(size: tuple[int, int]) -> list[str]:
    """An SVG after each step of the tour."""
    app = ArenaApp(study=STUDY, memory=Memory(theme="textual-dark"), readonly=True)
    taken = []
    async with app.run_test(size=size) as pilot:
        for keys in TOUR:
            for key in keys:
                await pilot.press(key)
            await settled(app, pilot)
            taken.append(app.export_screenshot(title="arena"))
    return taken


async def settled(app: ArenaApp, pilot: Pilot[None]) -> None:
    """Until everything is read and two looks at the screen, a moment apart, are the same."""
    before = ""
    for _ in range(400):
        await pilot.pause(0.15)
        read = app.ready and app.mirror.loaded and app.feed.idle
        now = app.export_screenshot() if read else ""
        # a page that another process makes says so until it is there
        if now and now == before and "takes&#160;some&#160;seconds" not in now:
            return
        before = now
    raise TimeoutError("the screen never came to rest")


def tour(taken: list[str]) -> str:
    """The frames in one SVG, each shown for its share of the time."""
    found = _HEAD.search(taken[0])
    assert found is not None, "rich writes its pictures otherwise now"
    whole = SECONDS_A_FRAME * len(taken)
    css = [
        ".frame { visibility: hidden; }",
        "#frame0 { visibility: visible; }",
        "@media (prefers-reduced-motion: no-preference) {",
        f".frame, #frame0 {{ visibility: hidden; animation: turn {whole}s steps(1) infinite; }}",
        *(f"#frame{i} {{ animation-delay: {SECONDS_A_FRAME * i}s; }}" for i in range(len(taken))),
        "}",
        f"@keyframes turn {{ 0% {{ visibility: visible; }} {100 / len(taken):.3f}% {{ visibility: hidden; }} }}",
    ]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{found[1]}">', "<style>", *css, "</style>"]
    for i, frame in enumerate(taken):
        parts.append(f'<g class="frame" id="frame{i}">{frame}</g>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    Path(__file__).with_name("tour.svg").write_text(tour(asyncio.run(frames(SIZE))))


if __name__ == "__main__":
    main()
