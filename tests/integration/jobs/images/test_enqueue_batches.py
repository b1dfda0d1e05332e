"""``cronops images enqueue-batches`` with the files that people and programs send."""

from tests.integration.jobs.images.conftest import Studio


def test_smoke(studio: Studio) -> None:
    studio.source("a/one.jpg")
    studio.source("two.png", 2, kind="PNG")
    studio.batch("images_a.csv", "A0000001;1;add;a/one.jpg", "A0000002;3;replace;two.png", "A0000003;1;delete;")
    done = studio.enqueue()
    print(done.stderr, done.stdout)
    print(studio.files(), studio.counts())
    done = studio.process()
    print(done.stderr, done.stdout)
    print(studio.edits(), studio.stored())
    for words in (("batches", "list"), ("batches", "show", "1"), ("list", "--article", "A0000001"), ("list", "--article", "A000001"), ("retry", "1"), ("retry", "9"), ("--help",), ("batches", "--help"), ("batches",)):
        d = studio.command(*words)
        print(words, d.returncode, d.stdout, d.stderr)
    assert 0
