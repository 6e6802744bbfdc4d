"""What several commands take."""

from pathlib import Path
from typing import Annotated

import typer

StoreOption = Annotated[str | None, typer.Option("--store", metavar="URL", help="the ledger: a path or sqlite:///PATH")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]
DataOption = Annotated[
    str, typer.Option("--data", metavar="auto|NAME|PATH", help="corpus: a name, a folder, or TRAIN,VALID")
]
JobsOption = Annotated[int | None, typer.Option("--jobs", help="runs at a time; default: one per core")]
ReportOption = Annotated[
    Path | None, typer.Option("--report", metavar="DIR", help="write the report there every ten minutes and at the end")
]
LlmOption = Annotated[
    Path | None, typer.Option("--llm", metavar="FILE", help="a language model may propose too: endpoint, model, caps")
]
TimeoutOption = Annotated[str | None, typer.Option("--timeout", metavar="2h", help="begin no trial after this long")]
