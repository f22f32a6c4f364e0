"""`vad detect --ray` on a cluster of three nodes, one of which is killed during the job.

Run it with `python -m pytest -m acceptance tests/acceptance/test_ray_cluster.py`; it takes about three minutes.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyarrow.dataset import dataset
from support.archive import write_archive

pytestmark = [pytest.mark.acceptance, pytest.mark.filterwarnings("ignore")]  # Ray's own

ray = pytest.importorskip("ray", reason="needs the extra ray")
N_SHORT = 300
LONG_S = 1_250


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short recordings, a damaged one, and one larger than the share of a node."""
    folder = tmp_path_factory.mktemp("archive")
    write_archive(folder / "rec", N_SHORT, 2, LONG_S)
    return folder


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head and two more nodes, with a CPU each."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_worker_niceness", "0")  # on a busy machine, nice workers wait for ever
    options = {"num_cpus": 1, "object_store_memory": 100_000_000}
    started = Cluster(initialize_head=True, head_node_args={**options, "include_dashboard": False})
    try:
        for _ in range(2):
            started.add_node(**options)
        yield started
    finally:
        started.shutdown()


def start(inputs: Path, output: Path, *words: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "vad",
        "detect",
        str(inputs),
        "--model",
        "tiny",
        "-o",
        str(output),
    ]
    return subprocess.Popen([*command, *words], stderr=subprocess.PIPE, text=True)


def wait_for(journal: Path, n_lines: int, process: subprocess.Popen[str]) -> None:
    while process.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") < n_lines):
        time.sleep(0.05)
    assert process.poll() is None


def test_a_killed_node_and_a_killed_program_cost_nothing(archive: Path, tmp_path: Path, cluster: Any) -> None:
    start(archive / "rec", tmp_path / "plain.jsonl").communicate()
    output, journal = tmp_path / "out.jsonl", tmp_path / "out.jsonl.journal"
    driver = start(archive / "rec", output, "--ray", cluster.address)
    wait_for(journal, 30, driver)
    driver.kill()
    driver.communicate()
    n_before = journal.read_bytes().count(b"\n")
    driver = start(archive / "rec", output, "--ray", cluster.address)
    wait_for(journal, n_before + 80, driver)
    cluster.remove_node(cluster.worker_nodes.copy().pop(), allow_graceful=False)
    _, told = driver.communicate(timeout=600)
    assert driver.returncode == 1  # the damaged one
    assert "damaged.wav" in told
    assert "recordings are done" in told
    assert output.read_bytes() == (tmp_path / "plain.jsonl").read_bytes()
    names = [line.get("recording") for line in map(json.loads, journal.read_text().splitlines())]
    done = [name for name in names if name and not name.endswith("damaged.wav")]
    assert len(done) == len(set(done)) == N_SHORT + 1


def test_a_manifest_of_urls_becomes_parts_of_tables(archive: Path, tmp_path: Path, cluster: Any) -> None:
    """Workers open the URLs themselves. The result is that of this machine, and of the files."""
    paths = [*sorted((archive / "rec").iterdir())[:20], archive / "rec" / "gone.wav"]
    manifest = tmp_path / "list.jsonl"
    manifest.write_text("".join(json.dumps({"audio_filepath": path.as_uri()}) + "\n" for path in paths))
    tables = []
    for output, words in ((tmp_path / "plain/", []), (tmp_path / "cluster/", ["--ray", cluster.address])):
        run = start(manifest, output, "-f", "parquet", *words)
        _, told = run.communicate(timeout=300)
        assert run.returncode == 1
        assert told.count("gone.wav: cannot be read: there is no such file") == 1
        tables.append([dataset(output / name).to_table() for name in ("segments", "recordings")])
    assert tables[0] == tables[1]
    assert tables[0][1].num_rows == len(paths)
