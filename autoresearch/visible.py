"""Text that others wrote, as one line in which nothing moves a cursor, turns the reading direction or hides."""


def visible(text: str, most: int | None = None) -> str:
    """One line of what can be seen: no controls, marks of direction or half characters; cut to so many characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if most is None or len(line) <= most else line[: most - 3] + "..."
