"""Worker processes in programs that have limits, threads, signal handlers and processes of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import run_limited

LINE = Path("fixtures/dumps/manifests.jsonl")
START = """
import multiprocessing, os, resource, signal, sys, threading, time
from dreg_client import LineRules, errors, validate_file

def validated(path):
    return sum(part.documents for part in validate_file(path, LineRules(field="manifest"), jobs=2))
"""
LIMITED = """
import multiprocessing.util
def limited(start, left):
    def starts(*arguments):
        nonlocal left
        left -= 1
        if left < 0:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return start(*arguments)
    return starts
if __name__ == "__main__":
    left, method = int(sys.argv.pop(1)), sys.argv.pop(1)
    os.fork = limited(os.fork, left)
    multiprocessing.util.spawnv_passfds = limited(multiprocessing.util.spawnv_passfds, left)
    if method == "spawn":
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    try:
        print(validated(sys.argv[1]))
    except errors.WorkerKilledError as failure:
        print(failure)
"""
DAEMONIC = """
if __name__ == "__main__":
    with multiprocessing.Pool(1) as pool:
        try:
            pool.map(validated, sys.argv[1:])
        except errors.ConfigError as failure:
            print(failure)
"""
HANDLERS = """
def handle(number, frame):
    print("handled", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, handle)
parts = validate_file(sys.argv[1], LineRules(field="manifest"), jobs=2)
next(parts)
for worker in multiprocessing.active_children():
    os.kill(worker.pid, signal.SIGTERM)
try:
    list(parts)
except errors.WorkerKilledError as failure:
    print(failure)
"""
OTHERS = """
def show_blocked():
    print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
if __name__ == "__main__":
    multiprocessing.set_start_method("forkserver")
    validated(sys.argv[1])
    process = multiprocessing.Process(target=show_blocked)
    process.start()
    process.join()
"""
UNGUARDED = """
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
try:
    print(validated(sys.argv[1]))
except errors.WorkerKilledError as failure:
    print(failure)
"""
ALARM = """
def handle(number, frame):
    raise TimeoutError
signal.signal(signal.SIGALRM, handle)
validated(sys.argv[1])  # imports what it needs
for microseconds in range(1_000, 30_000, 500):
    parts = validate_file(sys.argv[1], LineRules(field="manifest"), jobs=3)
    try:
        signal.setitimer(signal.ITIMER_REAL, microseconds / 1_000_000)
        next(parts)
    except TimeoutError:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
    parts.close()
print(multiprocessing.active_children())
"""


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "dump.jsonl"
    path.write_bytes(LINE.read_bytes() * 400)
    return path


def run(program: str, dump: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    script = dump.parent / "program.py"
    script.write_text(START + program)
    return run_limited([sys.executable, str(script), *words, str(dump)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("method", "started"), [("fork", 1), ("spawn", 2)])  # one more is `resource_tracker`
def test_val_202_if_a_second_process_cannot_be_started_the_first_does_all(
    dump: Path, method: str, started: int
) -> None:
    done = run(LIMITED, dump, str(started), method)

    documents = str(dump.read_bytes().count(b"\n"))
    assert (done.returncode, done.stdout) == (0, f"{documents}\n"), done.stderr


@pytest.mark.parametrize(("method", "started"), [("fork", 0), ("spawn", 1)])
def test_val_202_if_no_process_can_be_started_the_error_says_so(dump: Path, method: str, started: int) -> None:
    done = run(LIMITED, dump, str(started), method)

    assert "cannot start a worker process (Resource temporarily unavailable); use jobs=1" in done.stdout


def test_val_203_a_daemonic_process_is_told_to_use_one_job(dump: Path) -> None:
    done = run(DAEMONIC, dump)

    assert "can start no processes; use jobs=1" in done.stdout, done.stderr


def test_val_204_a_signal_to_a_worker_is_not_handled_by_the_program(dump: Path) -> None:
    done = run(HANDLERS, dump)

    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{dump}: the worker process was ended by SIGTERM; try again with fewer jobs\n"


def test_val_205_processes_of_the_program_have_no_signals_blocked(dump: Path) -> None:
    done = run(OTHERS, dump)

    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_val_206_a_program_that_starts_processes_when_it_is_imported_is_told_so(dump: Path) -> None:
    done = run(UNGUARDED, dump)

    assert 'a script must start the work under `if __name__ == "__main__":`' in done.stdout


def test_val_207_a_time_limit_at_any_moment_leaves_no_process(dump: Path) -> None:
    done = run(ALARM, dump)

    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
