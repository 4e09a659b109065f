import ast
import contextlib
import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from refinery.errors import DamagedFileError, RefineryError, StorageError
from refinery.npz import load_arrays
from refinery.storage import (
    about_storage,
    append_line,
    check_writable,
    read_json,
    read_lines,
    replacing,
    resume_lines,
    storage_error,
    write_whole,
)

ROOT = Path(__file__).parents[3]
PLACES = ("src", "launch", "experiments", "tools/parameters_page.py")
# What they write: a folder swapped as a whole, logs of processes, scratch folders, a process's standard output, bags
# that are recovered, a disk that is filled on purpose, what the build makes.
OTHERS = {
    "src/refinery/setup.py",
    "src/refinery_evaluation/refinery_evaluation/recording/bag_writer.py",
    "experiments/recordings/twin.py",
    "src/refinery/refinery/storage.py",
    "src/refinery/refinery/bundle/writer.py",
    "src/refinery/refinery/bringup/process.py",
    "src/refinery_twin/refinery_twin/planning/arm_model.py",
    "src/refinery_twin/refinery_twin/planning/hulls.py",
    "src/refinery_twin/refinery_twin/render_child.py",
    "experiments/faults/fault_bench.py",
    "experiments/assembly_crashes/client.py",
}


def writes(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in ("write_text", "write_bytes", "tofile"):
        return True
    if name in ("savez", "savez_compressed", "save", "savefig", "dump") and isinstance(node.func, ast.Attribute):
        module = getattr(node.func.value, "id", "")
        # To a buffer, or to a file that is open already: how that was opened is looked at where it was.
        known = ("np", "numpy", "torch", "json", "yaml", "pickle", "figure", "plt")
        return module in known and not any(isinstance(arg, ast.Name) for arg in node.args[:2])
    modes = [arg.value for arg in [*node.args, *(key.value for key in node.keywords)] if isinstance(arg, ast.Constant)]
    return name in ("open", "fdopen") and any(isinstance(mode, str) and set(mode) & set("wax+") for mode in modes)


def test_whatever_is_kept_is_written_whole():
    files = [file for place in PLACES for file in ([ROOT / place] if "." in place else (ROOT / place).rglob("*.py"))]
    own = [file for file in files if "test" not in file.relative_to(ROOT).parts and not file.name.startswith("test_")]
    found = {
        str(file.relative_to(ROOT))
        for file in own
        if any(writes(node) for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    }
    assert found == OTHERS


def left_over(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir() if item.name.endswith(".partial"))


def test_an_interrupted_writer_leaves_the_old_file(tmp_path):
    file = tmp_path / "x.json"
    write_whole(file, "old")
    with pytest.raises(KeyboardInterrupt), replacing(file) as out:
        out.write(b"new, but not all of")
        raise KeyboardInterrupt
    assert file.read_text() == "old" and left_over(tmp_path) == []


def test_a_killed_writer_leaves_the_old_file_or_the_new_one(tmp_path):
    file = tmp_path / "x.bin"
    code = (
        "import sys; from pathlib import Path; from refinery.storage import write_whole\n"
        "for i in range(1_000_000): write_whole(Path(sys.argv[1]), bytes([i % 251]) * 200_000)"
    )
    for wait_s in (0.0, 0.003, 0.007):
        writer = subprocess.Popen([sys.executable, "-c", code, str(file)])
        while not file.exists():
            time.sleep(0.001)
        time.sleep(wait_s)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        content = file.read_bytes()
        assert len(content) == 200_000 and len(set(content)) == 1
        file.unlink()


def test_two_writers_do_not_mix(tmp_path):
    file = tmp_path / "x.bin"
    threads = [
        threading.Thread(target=lambda i=i: [write_whole(file, bytes([i]) * 100_000) for _ in range(20)])
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        with contextlib.suppress(FileNotFoundError):
            content = file.read_bytes()
            assert len(content) == 100_000 and len(set(content)) == 1
    assert left_over(tmp_path) == []


def test_a_link_stays_and_a_device_is_written_to(tmp_path):
    write_whole(tmp_path / "real" / "x.txt", "old")
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "real" / "x.txt")
    write_whole(link, "new")
    assert link.is_symlink() and (tmp_path / "real" / "x.txt").read_text() == "new"
    write_whole(Path(os.devnull), "gone")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
def test_no_room_says_so():
    with pytest.raises(StorageError) as full:
        write_whole(Path("/dev/full"), b"x" * 100_000)
    assert full.value.path == Path("/dev/full") and "no space" in full.value.reason
    assert isinstance(full.value, OSError) and isinstance(full.value, RefineryError)


def limited(code: str, size: int) -> subprocess.CompletedProcess[str]:
    """Run Python where no file may be larger than ``size``."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
    return subprocess.run([sys.executable, "-B", "-c", limit + code], capture_output=True, text=True, timeout=60)


def test_a_file_that_does_not_fit_leaves_the_old_one(tmp_path):
    file = tmp_path / "x.npz"
    code = (
        "import numpy as np; from pathlib import Path; from refinery.npz import save_arrays\n"
        f"from refinery.errors import StorageError\npath = Path({str(file)!r})\n"
        "save_arrays(path, {'a': np.arange(10)})\n"
        "try: save_arrays(path, {'a': np.arange(100_000)}, compress=False)\n"
        "except StorageError as error: print(error)\n"
    )
    done = limited(code, 20_000)
    assert done.returncode == 0 and str(file) in done.stdout and "ulimit" in done.stdout, done.stderr
    assert len(load_arrays(file)["a"]) == 10 and left_over(tmp_path) == []


@pytest.mark.parametrize("write", [lambda path: write_whole(path, "x"), lambda path: append_line(path, "x")])
@pytest.mark.parametrize(
    ("place", "reason"),
    [("/proc/nohome/x.json", "cannot be made"), ("file/x.json", "a folder is needed"), ("folder", "folder")],
)
def test_what_cannot_be_written_is_named_with_the_reason(tmp_path, write, place, reason):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    path = tmp_path / place
    with pytest.raises(StorageError) as refused:
        write(path)
    assert str(path) in str(refused.value) and reason in refused.value.reason
    assert "\n" not in str(refused.value)


def test_a_folder_is_tried_before_the_work(tmp_path):
    check_writable(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    for place in ("/proc/nohome", tmp_path / "file"):
        (tmp_path / "file").write_text("")
        with pytest.raises(StorageError) as refused:
            check_writable(Path(place), "use --out")
        assert str(place) in str(refused.value) and str(refused.value).endswith("use --out")


def test_errors_about_storage_are_told_from_others():
    for code in (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EFBIG):
        assert about_storage(OSError(code, "x"))
    assert not about_storage(BrokenPipeError(errno.EPIPE, "x")) and not about_storage(FileNotFoundError(2, "x"))
    first = StorageError("a", "b", "c")
    assert storage_error("other", first) is first and about_storage(first)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"a": 1, "a": 2}', b'{"a": {"b": 1, "b": 1}}'])
def test_json_that_was_not_written_so_is_damaged(tmp_path, content):
    file = tmp_path / "x.json"
    file.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"x\.json"):
        read_json(file)


def test_a_log_ends_where_it_was_cut(tmp_path):
    file = tmp_path / "x.jsonl"
    assert read_lines(file) == ([], 0)
    for i in range(3):
        append_line(file, f'{{"i": {i}}}')
    assert read_lines(file) == ([{"i": 0}, {"i": 1}, {"i": 2}], 0)
    file.write_bytes(file.read_bytes()[:-4])
    assert read_lines(file) == ([{"i": 0}, {"i": 1}], 1)
    file.write_bytes(b'{"i": 0}\n\xff\xff\n{"i": 2}\n')
    assert read_lines(file) == ([{"i": 0}], 2)
    assert resume_lines(file) == ([{"i": 0}], 2)
    append_line(file, '{"i": 1}')
    assert resume_lines(file) == ([{"i": 0}, {"i": 1}], 0)
