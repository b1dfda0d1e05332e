"""What holds of an order does not depend on the sequence in which its payloads came."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from cronops.jobs.platform.formats.order import FINAL, Kind
from cronops.jobs.platform.orders.standing import Standing

Payload = tuple[Kind, int, int, int | None]

PAYLOADS = st.lists(
    st.tuples(
        st.sampled_from(["order", "cancellation"]),
        st.sampled_from([-1, 0, 1, 2, FINAL]),
        st.integers(1, 50),
        st.sampled_from([None, 1, 4]),
    ),
    max_size=5,
    unique_by=lambda payload: payload[2],
)


def told(payloads: tuple[Payload, ...]) -> Standing:
    standing = Standing()
    for kind, revision, source, pieces in payloads:
        standing = standing.heard(kind, revision, source, pieces)
    return standing


@settings(max_examples=60, deadline=None)
@given(PAYLOADS)
def test_every_sequence_comes_to_the_same_end(payloads: list[Payload]) -> None:
    assert len({told(sequence) for sequence in permutations(payloads)}) == 1


@settings(max_examples=60, deadline=None)
@given(PAYLOADS)
def test_hearing_again_changes_nothing(payloads: list[Payload]) -> None:
    once = told(tuple(payloads))
    assert told((*payloads, *payloads)) == once


def test_an_acceptance_holds_until_something_newer_comes() -> None:
    standing = Standing(order_source=7, order_revision=0, accepted_source=7)
    assert standing.status(["a doubt"], None) == "ready"
    later = standing.heard("order", 0, 8, None)
    assert later.status(["a doubt"], None) == "needs_review"


def test_the_first_to_come_holds_whatever_its_revision() -> None:
    assert Standing().heard("order", -5, 1, None).order_source == 1
    assert Standing().heard("cancellation", -5, 1, None).cancelled_source == 1
