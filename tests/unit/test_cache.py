"""The cache file: whatever happens to it, either all of it is read or none."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from runtower.catalog import cache
from runtower.catalog.cache import Cached
from runtower.catalog.writer import WriterLock, boot_id
from runtower.domain.runs import Experiment
from runtower.domain.targets import Target, normalised

TARGET = Target("here", "mlflow", "sqlite:////data/mlflow.db")
KEY = TARGET.file_key


def cached(cursor: bytes = b"cursor", redact: tuple[str, ...] = ()) -> Cached:
    experiments = (Experiment("0", "Default"), Experiment("1", "gone", True))
    return Cached("", "mlflow:1", "here", 0, True, redact, experiments, cursor, bytes(range(256)) * 20)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "catalog"
    written = cache.store(folder, KEY, cached())
    got = cache.read(folder, TARGET)
    assert got is not None
    assert (got.base_id, got.source_key, got.cursor, got.complete) == (written.base_id, "mlflow:1", b"cursor", True)
    assert bytes(got.segment) == cached().segment
    assert got.experiments == cached().experiments
    assert got.written_ms > 0
    assert written.length == written.path.stat().st_size
    assert folder.stat().st_mode & 0o777 == 0o700
    assert written.path.stat().st_mode & 0o777 == 0o600


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for number in range(4):
        cache.store(tmp_path, KEY, cached(b"%d" % number))
    assert [cache.parse(path.read_bytes()).cursor for path in cache.files(tmp_path, KEY)] == [b"2", b"3"]


def test_each_byte_counts(tmp_path: Path) -> None:
    data = bytearray(cache.store(tmp_path, KEY, cached()).path.read_bytes())
    for at in [*range(400), *random.Random(7).sample(range(len(data)), 300)]:
        flipped = bytearray(data)
        flipped[at] ^= 1 << (at % 8)
        with pytest.raises(cache.CacheError):
            cache.parse(bytes(flipped))


def test_no_cut_is_taken_for_the_whole(tmp_path: Path) -> None:
    data = cache.store(tmp_path, KEY, cached()).path.read_bytes()
    for length in [*range(300), *range(300, len(data), 97)]:
        with pytest.raises(cache.CacheError):
            cache.parse(data[:length])
    with pytest.raises(cache.CacheError):
        cache.parse(data + b"x")


def test_a_torn_file_is_set_aside_and_the_one_before_is_read(tmp_path: Path) -> None:
    cache.store(tmp_path, KEY, cached(b"old"))
    for _ in range(5):
        newest = cache.store(tmp_path, KEY, cached(b"new")).path
        newest.write_bytes(newest.read_bytes()[:-1])
        got = cache.read(tmp_path, TARGET)
        assert got is not None
        assert got.cursor == b"old"
    assert len(list(tmp_path.glob("*.broken"))) == 2


def test_other_patterns_of_what_is_secret_make_it_unusable(tmp_path: Path) -> None:
    cache.store(tmp_path, KEY, cached(redact=("b*", "a*")))
    assert cache.read(tmp_path, TARGET) is None
    assert cache.read(tmp_path, TARGET, ["a*", "b*"]) is not None


def test_nothing_there_is_none(tmp_path: Path) -> None:
    assert cache.read(tmp_path / "nowhere", TARGET) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://user:pw@Host.example/mlflow/", "HTTPS://host.example/mlflow"),
        ("sqlite:////data/../data/mlflow.db", "sqlite:////data/mlflow.db"),
        ("https://h/?token=a&x=1", "https://h?x=1"),
    ],
)
def test_an_address_is_the_same_however_it_is_typed(one: str, other: str) -> None:
    assert Target("a", "k", one).file_key == Target("b", "k", other).file_key


def test_a_relative_path_is_where_we_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert normalised("sqlite:///mlflow.db") == f"sqlite:{tmp_path}/mlflow.db"
    assert normalised("mlruns") == f"{tmp_path}/mlruns"


def test_another_kind_address_or_option_is_another_file() -> None:
    targets = [
        Target("a", "k", "https://h"),
        Target("a", "l", "https://h"),
        Target("a", "k", "https://h:1"),
        Target("a", "k", "https://h", options={"workspace": "w"}),
    ]
    assert len({target.file_key for target in targets}) == 4
    secret = Target("a", "k", "https://h", options={"api_token": "t", "headers.X-Own": "t"})
    assert secret.file_key == targets[0].file_key


def test_the_budget_lets_the_longest_unwritten_source_go(tmp_path: Path) -> None:
    for age, key in enumerate(("a" * 24, "b" * 24, KEY)):
        for _ in range(2):
            path = cache.store(tmp_path, key, cached()).path
            os.utime(path, (1000 - 100 * age, 1000 - 100 * age))
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    cache.prune(tmp_path, KEY, size - 1)
    assert not cache.files(tmp_path, "b" * 24)
    assert len(cache.files(tmp_path, "a" * 24)) == len(cache.files(tmp_path, KEY)) == 2
    cache.prune(tmp_path, KEY, 0)
    assert len(list(tmp_path.iterdir())) == 2, "our own stays"


def test_a_disk_that_fills_up_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    cache.store(tmp_path, KEY, cached(b"old"))
    program = f"""
import resource, signal, sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from unit.test_cache import KEY, cache, cached
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, {resource.getrlimit(resource.RLIMIT_FSIZE)[1]}))
try:
    cache.store(Path({str(tmp_path)!r}), KEY, cached(b"new"))
except OSError:
    sys.exit(0)
sys.exit(1)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    assert len(list(tmp_path.iterdir())) == 1
    got = cache.read(tmp_path, TARGET)
    assert got is not None
    assert got.cursor == b"old"


def test_one_writes_at_a_time(tmp_path: Path) -> None:
    first, second = WriterLock(tmp_path, KEY), WriterLock(tmp_path, KEY)
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()


def test_a_lease_stands_in_where_there_are_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(38, "no locks here")

    monkeypatch.setattr("runtower.catalog.writer.fcntl.flock", no_locks)
    first, second = WriterLock(tmp_path, KEY), WriterLock(tmp_path, KEY)
    assert first.acquire()
    assert not second.acquire()
    first.renew()
    assert first.held
    lease = tmp_path / f"{KEY}.lease"
    lease.write_text(lease.read_text().replace(boot_id() or "-", "another boot"))
    assert second.acquire(), "its process died with its boot"
    lease.write_text('{"host": "elsewhere", "pid": 1, "boot": ""}')
    third = WriterLock(tmp_path, KEY)
    assert not third.acquire()
    os.utime(lease, (0, 0))
    assert third.acquire(), "silent for too long"
    third.release()
    assert not lease.exists()


def test_a_folder_that_cannot_be_made_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((NotADirectoryError, FileExistsError)):
        WriterLock(tmp_path / "file" / "catalog", KEY).acquire()
    with pytest.raises((NotADirectoryError, FileExistsError)):
        cache.store(tmp_path / "file" / "catalog", KEY, cached())


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_read(tmp_path: Path) -> None:
    cache.store(tmp_path, KEY, cached())
    tmp_path.chmod(0o500)
    try:
        assert cache.read(tmp_path, TARGET) is not None
        with pytest.raises(PermissionError):
            cache.store(tmp_path, KEY, cached())
    finally:
        tmp_path.chmod(0o700)
