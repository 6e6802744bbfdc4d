"""The plainest executor there is: a run happens inside `poll`, in this process, where a debugger can follow it."""

from pathlib import Path

from autoresearch.executor import Ended, Job, Progress, Said, job_to_json
from autoresearch.worker import device_class, versions, work
from bench.data.corpus import Corpus, write_cached


class InProcess:
    """One slot; no limit is enforced, since nobody is outside."""

    def __init__(self, corpus: Corpus, folder: Path) -> None:
        self.corpus, self.folder = corpus, folder
        write_cached(corpus, folder)
        self.device_class, self.versions, self.threads = device_class(), versions(), 1
        self._job: Job | None = None

    @property
    def free_slots(self) -> int:
        return 0 if self._job else 1

    def submit(self, job: Job) -> None:
        assert self._job is None, "the slot has a run"
        self._job = job

    def poll(self, seconds: float) -> list[Said]:
        job, self._job = self._job, None
        if job is None:
            return []
        points: list[Said] = []
        plain = job_to_json(job, self.corpus, self.folder)
        outcome = work(plain, lambda point: points.append(Progress(job.run_id, point)))
        assert outcome is not None, "only an examination has none"
        return [*points, Ended(job.run_id, outcome)]

    def cancel(self, run_id: int) -> None:
        if self._job and self._job.run_id == run_id:
            self._job = None

    def close(self) -> None:
        self._job = None
