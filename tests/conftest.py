"""What tests of the portal share: people, a project, tiny footage, and a data folder of their own."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connections
from django.test import Client
from PIL import Image
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient
from xdist.scheduler import LoadFileScheduling

from engine import probe_child
from engine.childproc import ChildResult
from interpolation import runner, tasks
from interpolation.models import Project, Source
from interpolation.services import project_create, source_create, uploads

SIZE = (64, 48)  # width, height of the tiny footage, in pixels


class BrowserInOnePlace(LoadFileScheduling):
    """A file after the other to the next process that is free; all browser tests to one, for they share a portal."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/browser" if nodeid.startswith("tests/browser/") else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    config.option.loadscopereorder = False  # in the order of below
    return BrowserInOnePlace(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins, so that no process works on it alone at the end."""
    first = {"browser": 0, "ops": 1, "faults": 2}
    items.sort(key=lambda item: first.get(item.path.parent.name, len(first)))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: to look through it again after every segment of a render takes 0.2 s."""
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in a file of its own, not in memory: child processes and server threads open it too."""
    default = connections["default"].settings_dict
    if default["ENGINE"].endswith("sqlite3"):
        default["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(autouse=True)
def data_folder(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Media, logs and cache of this test alone, and quick passwords. Child processes get the same folder."""
    data = tmp_path / "data"
    folders = {
        "MEDIA_ROOT": "media",
        "LOG_DIR": "logs",
        "FILE_UPLOAD_TEMP_DIR": "media/incoming",
        "STATIC_ROOT": "staticfiles",
    }
    for name, folder in folders.items():
        path = data / folder
        path.mkdir(parents=True, exist_ok=True)
        setattr(settings, name, path)
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": str(data)}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MIN_FREE_BYTES = 0
    settings.JOB_WARM = False  # a child that outlives its test would work in the folders of another
    settings.ALLOWED_HOSTS = ["*"]
    monkeypatch.setenv("INBETWEEN_DATA", str(data))
    monkeypatch.delenv("INBETWEEN_DATABASE", raising=False)
    cache.clear()
    return data


@pytest.fixture
def media_root(settings: Settings) -> Path:
    return Path(settings.MEDIA_ROOT)


@pytest.fixture
def children_use_this_database(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes started by the test work on the test's own database."""
    database = connections["default"].settings_dict
    if not database["ENGINE"].endswith("sqlite3"):
        pytest.skip("needs SQLite")
    monkeypatch.setenv("INBETWEEN_DATABASE", f"sqlite:///{database['NAME']}")


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password="correct horse")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", password="battery staple")


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", password="correct-horse-9")


@pytest.fixture
def page(ada: User) -> Client:
    """A browser in which ada is signed in."""
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def project(alice: User) -> Project:
    return project_create(owner=alice, name="Alice's project")


@pytest.fixture
def api(alice: User) -> APIClient:
    """The API as alice."""
    client = APIClient()
    client.force_authenticate(alice)
    return client


@pytest.fixture
def bobs_api(bob: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(bob)
    return client


def tiny_frame(index: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """RGB uint8 (H, W, 3): a bright square that moves 3 pixels a frame over a gradient."""
    width, height = size
    frame = np.zeros((height, width, 3), np.uint8)
    frame[..., 1] = np.linspace(0, 120, width, dtype=np.uint8)[None]
    frame[..., 2] = np.linspace(0, 120, height, dtype=np.uint8)[:, None]
    left = (4 + 3 * index) % (width - 14)
    frame[14:26, left : left + 12] = (240, 220, 60)
    return frame


def write_clip(path: Path, frames: int = 8, fps: int = 8, size: tuple[int, int] = SIZE) -> Path:
    """An H.264 MP4 without sound."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=fps, options={"crf": "18", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = Fraction(1, fps)
        for index in range(frames):
            picture = av.VideoFrame.from_ndarray(tiny_frame(index, size), format="rgb24")
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 frames of 64x48 at 8 fps, one second, H.264 in MP4."""
    return write_clip(tmp_path_factory.mktemp("clip") / "tiny.mp4")


@pytest.fixture(scope="session")
def tiny_pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two 64x48 PNGs, 2 steps of motion apart."""
    folder = tmp_path_factory.mktemp("pictures")
    paths = folder / "one.png", folder / "two.png"
    for index, path in enumerate(paths):
        Image.fromarray(tiny_frame(2 * index)).save(path)
    return paths


@pytest.fixture(scope="session")
def client_file() -> Any:
    """The module docs/examples/inbetween_client.py."""
    path = Path(__file__).parents[1] / "docs" / "examples" / "inbetween_client.py"
    spec = importlib.util.spec_from_file_location("inbetween_client", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["inbetween_client"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def probed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is uploaded is looked into in this process, without limits: the child needs a second to start."""

    def here(argv: list[str], **_: Any) -> ChildResult:
        probe_child.main(argv[-1])
        return ChildResult(0, "exit", 0, 0.0)

    for name in ("die_with_parent", "limit", "install_catalogues"):
        monkeypatch.setattr(probe_child, name, lambda *_: None)
    monkeypatch.setattr(uploads, "run_child", here)


@pytest.fixture
def rendered_here(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are rendered in this process: the child needs seconds to start, and has tests of its own."""

    def here(job_id: str, worker: str) -> ChildResult:
        return ChildResult(runner.run(job_id, worker, lambda: False), "exit", 0, 0.0)

    settings.JOB_THREADS = 1
    monkeypatch.setattr(tasks, "watched_child", here)


@pytest.fixture
def source(project: Project, tiny_clip: Path, request: pytest.FixtureRequest) -> Source:
    """The tiny clip, uploaded to alice's project."""
    request.getfixturevalue("probed_here")
    return source_create(project=project, kind=Source.Kind.VIDEO, upload=tiny_clip)


@pytest.fixture
def quick_source(project: Project, media_root: Path, tiny_clip: Path) -> Source:
    """A row as the tiny clip would have it, without looking into the file: for tests that are not about uploads."""
    path = f"sources/{os.urandom(4).hex()}.mp4"
    (media_root / "sources").mkdir(exist_ok=True)
    (media_root / path).write_bytes(tiny_clip.read_bytes())
    info = {"width": 64, "height": 48, "frame_count": 8, "fps": "8", "duration": "1"}
    return Source.objects.create(project=project, kind=Source.Kind.VIDEO, name="tiny.mp4", file=path, info=info)
