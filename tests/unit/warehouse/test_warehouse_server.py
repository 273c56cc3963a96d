"""The embedded server's life, and what a server of the user's answers, with real processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from scripts.errors import DataError
from scripts.warehouse import programs, server, stopping
from scripts.warehouse.build_server import build
from tests import warehouses
from tests.workflow.labs import disk

ROOT = warehouses.ROOT
USES = """
import sys, time
from pathlib import Path
from scripts.warehouse import programs, server
folder = Path(sys.argv[1])
programs.initialise(folder)
place = server.embedded(folder, int(sys.argv[2]) or __import__("os").getpid())
server.ensure_database(place)
with server.connect(place.at("postgres"), autocommit=True) as connection:
    connection.execute("CREATE DATABASE snap_left")
    print(place.options["host"], flush=True)
    time.sleep(float(sys.argv[3]))
"""


def use(
    folder: Path,
    seconds: float = 0,
    owner: int = 0,
    python: str = sys.executable,
    **options: object,
) -> subprocess.Popen:
    """A process that uses the server in a folder, and has said where its socket is."""
    command = [python, "-c", USES, str(folder), str(owner), str(seconds)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **{"env": {**os.environ, "PYTHONPATH": str(ROOT)}, **options},
    )


def wait_until_ended(folder: Path, patience_s: float = 20) -> None:
    """Until nothing of the server in a folder runs."""
    deadline = time.monotonic() + patience_s
    while warehouses.server_processes(folder):
        assert time.monotonic() < deadline, warehouses.server_processes(folder)
        time.sleep(0.05)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Of a server; nothing of it is left."""
    path = tmp_path / "server"
    yield path
    stopping.stop(path)
    assert warehouses.server_processes(path) == []
    if (path / "data").is_symlink():
        shutil.rmtree((path / "data").resolve().parent)


def test_it_ends_with_its_owner_and_leaves_nothing(folder: Path) -> None:
    with use(folder, 60) as process:
        socket = Path(process.stdout.readline().strip())
        assert socket.is_dir()
        assert stopping.is_kept(folder)
        copies = folder / stopping.COPIES
        copies.mkdir()
        (copies / "a").touch()
        process.send_signal(signal.SIGKILL)
    wait_until_ended(folder)
    assert not socket.exists()
    assert not stopping.is_kept(folder)
    assert list(copies.iterdir()) == []
    again = server.embedded(folder, os.getpid())
    with server.connect(again) as connection:
        names = [name for (name,) in connection.execute("SELECT datname FROM pg_database")]
    assert "snap_left" not in names
    assert stopping.stop(folder)
    assert not Path(again.options["host"]).exists()


def test_a_killed_keeper_leaves_the_server_to_the_next(folder: Path) -> None:
    with use(folder, 60) as process:
        first = Path(process.stdout.readline().strip())
        os.kill(stopping.state(folder)["keeper"], signal.SIGKILL)
        server_pid = stopping.state(folder)["server"]
        again = server.embedded(folder, os.getpid())
        assert stopping.state(folder)["server"] != server_pid
        assert not first.exists()
        with server.connect(again) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        process.kill()
    assert stopping.stop(folder)


def test_another_run_waits_for_the_end_of_the_first(folder: Path) -> None:
    programs.initialise(folder)
    with use(folder, 0) as first, use(folder, 0) as second:
        said = [process.communicate(timeout=60) for process in (first, second)]
    # Each made the database snap_left in a run of its own, one after the other.
    assert [first.returncode, second.returncode] == [0, 0], said
    wait_until_ended(folder)


def test_stopping_waits_and_is_quick_where_none_runs(folder: Path) -> None:
    assert stopping.stop(folder)
    programs.initialise(folder)
    server.embedded(folder, os.getpid())
    assert stopping.stop(folder)
    assert warehouses.server_processes(folder) == []
    assert stopping.state(folder) == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_an_ordinary_user_runs_it_as_himself(tmp_path: Path) -> None:
    python = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip("no Python of this version that other users can run")
    home = Path("/var/tmp") / f"almanac-test-{os.getpid()}"
    home.mkdir()
    os.chown(home, 65534, 65534)
    packages = Path(psycopg.__file__).parents[1]
    user = {"user": 65534, "group": 65534, "extra_groups": []}
    user |= {"env": {**os.environ, "PYTHONPATH": f"{ROOT}:{packages}"}}
    try:
        with use(home / "server", 0, python=python, **user) as process:
            _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        wait_until_ended(home)
        assert (home / "server" / "data" / "PG_VERSION").stat().st_uid == 65534
    finally:
        shutil.rmtree(home)


def test_libpqs_variables_do_not_reach_the_embedded_server(folder: Path) -> None:
    strange = {"PGPORT": "1", "PGHOST": "nowhere", "PGUSER": "nobody", "PGDATABASE": "x"}
    strange |= {"PGOPTIONS": "-c wrong=1", "PGREQUIRESSL": "1", "PYTHONPATH": str(ROOT)}
    with use(folder, 0, env={**os.environ, **strange}) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    wait_until_ended(folder)


def test_the_cluster_is_known_by_a_file_inside_it(folder: Path) -> None:
    out = folder / "data" / "cluster.json"
    assert json.loads(build(folder, out))["new"] is True
    first = json.loads(out.read_text())
    assert json.loads(build(folder, out))["new"] is False
    assert json.loads(out.read_text()) == first
    assert first["system_identifier"].isdigit()
    (folder / "data" / "PG_VERSION").write_text("11\n")
    with pytest.raises(DataError, match=r"is of PostgreSQL 11, the programs are 18; remove"):
        build(folder, out)


def test_no_cluster_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no PostgreSQL cluster; run again"):
        server.embedded(tmp_path, os.getpid())


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    programs.initialise(folder)
    (folder / "data" / "postgresql.conf").write_text("shared_buffers = lots\n")
    with pytest.raises(DataError, match=r"does not start: .*shared_buffers.*server/log"):
        server.embedded(folder, os.getpid())
    assert warehouses.server_processes(folder) == []


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[dict[str, str]]:
    """Of a server that wants a password."""
    with warehouses.users_server(home) as found:
        yield found


def named(text: str, **variables: str) -> server.Server:
    """The server of a connection string."""
    return server.named({server.DSN: text, **variables})


def test_a_server_is_named_by_a_string_a_uri_or_libpqs_variables(address: dict) -> None:
    quoted = address["password"].replace("/", "%2F").replace("@", "%40")
    uri = f"postgresql://owner:{quoted}@127.0.0.1:{address['port']}/lab"
    for place in (named(warehouses.dsn(address)), named(uri)):
        assert address["password"] not in repr(place) + place.name
        with server.connect(place) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("lab",)
        variables = place.environment()
        assert variables["PGPASSWORD"] == address["password"]
    variables = {f"PG{key.upper()}": value for key, value in address.items() if key != "dbname"}
    place = server.warehouse(
        Path("none"), {**variables, "PGDATABASE": "lab", "HOME": "/x"}, 0, own=True
    )
    assert place.inherited["PGPASSWORD"] == address["password"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "guessed"}, "wrong user or password; set PGPASSWORD"),
        ({"password": ""}, "wants a password"),
        ({"dbname": "attic"}, "no such database; make it"),
        ({"user": "stranger"}, "wrong user or password"),
        ({"port": "1"}, "no server answers there; start it"),
        ({"host": "no.such.host.invalid"}, "no such host"),
        ({"host": "pa@ss.invalid"}, "no such host"),
    ],
)
def test_what_is_wrong_is_told_without_the_password(address: dict, wrong: dict, said: str) -> None:
    place = named(warehouses.dsn(address, **wrong))
    with pytest.raises(server.UnreachableError, match=said) as caught:
        server.connect(place)
    told = str(caught.value)
    assert "\n" not in told
    for secret in (address["password"], "guessed", "pa@ss"):
        assert secret not in told


@pytest.mark.parametrize(
    "text", ["postgresql//u:hunter2@h/db", "host=h password=hunter2 what", "x"]
)
def test_what_is_no_connection_string_is_not_shown(text: str) -> None:
    with pytest.raises(DataError, match="ALMANAC_DSN is no connection string") as caught:
        named(text)
    assert "hunter2" not in str(caught.value)


def test_what_cannot_be_handed_to_programs_is_told(address: dict) -> None:
    place = named(warehouses.dsn(address, keepalives="1"))
    with pytest.raises(DataError, match="keepalives of the connection string cannot be handed"):
        place.environment()


def test_a_connection_that_breaks_is_told(
    connection: psycopg.Connection, place: server.Server
) -> None:
    pid = connection.info.backend_pid
    with server.connect(place, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    with pytest.raises(psycopg.Error) as caught:
        connection.execute("SELECT 1")
    told = str(server.fault(caught.value, place))
    assert "terminating connection" in told or "the connection broke" in told
    assert told.endswith("; run again")


def test_jobs_of_one_run_share_a_server(folder: Path) -> None:
    programs.initialise(folder)
    place = server.embedded(folder, os.getpid())
    with use(folder, 0, owner=os.getpid()) as process:
        assert process.stdout.readline().strip() == place.options["host"]
    assert stopping.is_kept(folder)


def closed(tmp_path: Path) -> Path:
    """Folder of a server below one that is closed to the server's user, where there is another."""
    tmp_path.chmod(0o700)
    return tmp_path / "server"


def test_an_empty_folder_that_snakemake_made_gives_way(folder: Path) -> None:
    closed(folder.parent)
    (folder / "data").mkdir(parents=True)
    programs.initialise(folder)
    assert (folder / "data" / "PG_VERSION").is_file()
    if not (folder / "data").is_symlink():
        return  # an ordinary user's data stand where they are
    shutil.rmtree((folder / "data").resolve().parent)
    stopping.forget_lost(folder)
    assert not (folder / "data").is_symlink()
    assert programs.initialise(folder)
    (folder / "data").unlink()
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").touch()
    with pytest.raises(DataError, match="was made when the folders above it were open"):
        programs.initialise(folder)


@pytest.mark.parametrize("size", ["200k", "12m", "20m", "30m"])
def test_a_disk_that_no_cluster_fits_on_is_named(size: str) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as top:
        Path(top).chmod(0o755)
        folder = Path(top) / "server"
        with disk(folder, size) as resize:
            with pytest.raises(DataError, match=r"could not .* No space left on device; free"):
                programs.initialise(folder)
            resize("200m")
            assert programs.initialise(folder)
