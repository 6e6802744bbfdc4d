"""A block of styled text that is drawn again only when it differs."""

from rich.text import Text
from textual.message import Message
from textual.widgets import Static


class Lines(Static):
    """Text that was built by us: nothing in it is read as markup."""

    DEFAULT_CSS = """
    Lines { height: auto; width: 1fr; padding: 0 1; }
    """

    class Widened(Message):
        """The room for a line has changed: whoever cut lines to it should cut them again."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__("", markup=False, id=id, classes=classes)
        self._shown = Text()
        self._room = 0

    def on_resize(self) -> None:
        if self._room != self.content_size.width:
            self._room = self.content_size.width
            self.post_message(self.Widened())

    @property
    def shown(self) -> Text:
        return self._shown

    def show(self, text: Text) -> None:
        if text == self._shown and text.style == self._shown.style:
            return
        same_height = text.plain.count("\n") == self._shown.plain.count("\n") and not self.styles.is_auto_height
        self._shown = text
        self.update(text, layout=not same_height)
