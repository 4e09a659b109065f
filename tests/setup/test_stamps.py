from __future__ import annotations

from stamps import Stamps, content_hash


def test_hash_follows_names_contents_and_extras_but_not_the_order(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    files = [tmp_path / "a", tmp_path / "b"]
    first = content_hash(tmp_path, files, "x")
    assert content_hash(tmp_path, files[::-1], "x") == first
    others = {content_hash(tmp_path, files, "y"), content_hash(tmp_path, files[:1], "x"), content_hash(tmp_path, files)}
    (tmp_path / "b").write_text("c")
    others.add(content_hash(tmp_path, files, "x"))
    (tmp_path / "b").unlink()
    others.add(content_hash(tmp_path, files, "x"))
    assert first not in others
    assert len(others) == 5


def test_contents_cannot_pass_for_names(tmp_path):
    (tmp_path / "a").write_text("x")
    (tmp_path / "ab").write_text("")
    assert content_hash(tmp_path, [tmp_path / "a"], "b") != content_hash(tmp_path, [tmp_path / "ab"], "")


def test_a_stamp_lasts_until_dropped_or_its_folder_is_gone(tmp_path):
    stamps = Stamps(tmp_path / "made" / ".stamps")
    assert stamps.read("step") == ""
    stamps.drop("step")
    stamps.write("step", "hash")
    assert Stamps(tmp_path / "made" / ".stamps").read("step") == "hash"
    stamps.drop("step")
    assert stamps.read("step") == ""
