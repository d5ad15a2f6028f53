import pytest
from click.testing import CliRunner

from bncourse.cli import main
from bncourse.grading.authoring.course import Course
from bncourse.grading.marking.server import MarkingServer
from tests.grading.marking.conftest import HandIn, hand_in

__all__ = ["hand_in"]


def test_it_says_what_waits_and_where_to_mark(course: Course, hand_in: HandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(server: MarkingServer) -> None:
        server.stop()
        raise KeyboardInterrupt

    monkeypatch.setattr(MarkingServer, "serve", stopped)
    hand_in("ann", {"proof": "x"})
    words = ["mark", "backward", "--no-browser", "--course", str(course.root)]
    result = CliRunner().invoke(main, [*words, "--question", "proof"])
    assert result.exit_code == 0, result.output
    assert "1 answers" not in result.output and "1 answer waits." in result.output
    assert "http://127.0.0.1:" in result.output and "/q/proof/" in result.output
    assert "ann" not in result.output
    refused = CliRunner().invoke(main, [*words, "--question", "prof"])
    assert refused.exit_code == 2 and "Known: answer-sums, proof" in refused.output
