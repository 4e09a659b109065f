"""A bag opens in an independent reader, and what was flushed survives a kill, cut off anywhere."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from recording.messages import KIND, steps_in, tick, write
from rosbags.highlevel import AnyReader

from refinery.errors import ConfigError
from refinery_evaluation.recording.bag_writer import BagWriter
from refinery_evaluation.recording.recovery import LEFT, recover, recover_all, unfinished
from refinery_evaluation.recording.topic import BagTopic, Qos


def test_an_independent_reader_finds_messages_types_and_quality_of_service(topic: BagTopic, tmp_path: Path) -> None:
    other = BagTopic(name="/other", type=KIND, definition=topic.definition, qos=Qos(reliability="best_effort"))
    writer = BagWriter(tmp_path / "bag")
    write(writer, topic, range(25))
    writer.write(other, 5, tick(99))
    writer.close()
    with AnyReader([tmp_path / "bag"]) as reader:
        assert reader.message_count == 26 and reader.start_time == 0 and reader.duration == 240_000_001
        found = {kind.topic: kind for kind in reader.connections}
        assert {kind.msgtype for kind in found.values()} == {KIND}
        offered = [kind.ext.offered_qos_profiles[0] for kind in (found[topic.name], found["/other"])]
        assert [(q.reliability.name, q.durability.name, q.depth) for q in offered] == [
            ("RELIABLE", "TRANSIENT_LOCAL", 3),
            ("BEST_EFFORT", "VOLATILE", 10),
        ]
        (raw,) = [raw for kind, _, raw in reader.messages() if kind.topic == "/other"]
        np.testing.assert_array_equal(reader.deserialize(raw, KIND).action, [0.1 * 99] * 6)
    about = yaml.safe_load((tmp_path / "bag" / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert (about["version"], about["storage_identifier"], about["ros_distro"]) == (9, "mcap", "jazzy")
    (one, _) = about["topics_with_message_count"]
    assert one["topic_metadata"]["type_description_hash"].startswith("RIHS01_")
    assert sorted(path.name for path in (tmp_path / "bag").iterdir()) == ["bag_0.mcap", "metadata.yaml"]
    with pytest.raises(ConfigError):
        BagWriter(tmp_path / "bag")


def test_what_was_flushed_is_recovered_from_a_file_cut_off_anywhere(topic: BagTopic, tmp_path: Path) -> None:
    writer = BagWriter(tmp_path / "bag")
    write(writer, topic, range(40))
    (part,) = unfinished(tmp_path)
    whole = part.read_bytes()
    rng = random.Random(0)
    for length in [0, 3, len(whole), *(rng.randrange(len(whole)) for _ in range(20))]:
        folder = tmp_path / f"cut_{length}"
        (folder / "bag").mkdir(parents=True)
        (folder / "bag" / part.name).write_bytes(whole[:length])
        ((bag, count),) = recover_all(folder)
        assert steps_in(bag) == list(range(count)) and count % 10 == 0
        assert count == 40 or length < len(whole)
        assert (folder / LEFT / "bag" / part.name).read_bytes() == whole[:length]
        assert recover_all(folder) == []


def test_a_killed_writer_leaves_what_it_flushed(topic: BagTopic, tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom recording.messages import write\n"
        "from refinery_evaluation.recording.bag_writer import BagWriter\n"
        "from refinery_evaluation.recording.topic import BagTopic\n"
        f"topic = BagTopic(name='/t', type={KIND!r}, definition=sys.stdin.read())\n"
        "writer = BagWriter(Path(sys.argv[1]))\nwrite(writer, topic, range(47))\nprint('written', flush=True)\n"
        "import time; time.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "bag")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(topic.definition)
        process.stdin.close()
        assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGKILL)
    assert steps_in(recover(unfinished(tmp_path)[0])[0]) == list(range(40))


def test_a_bag_without_a_message_is_whole(tmp_path: Path) -> None:
    BagWriter(tmp_path / "bag").close()
    assert steps_in(tmp_path / "bag") == []
    shutil.rmtree(tmp_path / "bag")
