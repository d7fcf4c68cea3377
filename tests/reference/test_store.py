"""The durable state: one transaction, one writer, and what is forgotten when."""

from __future__ import annotations

import pytest

from tunnelref.runner.store import Fenced, SocketRecord, Store

ACTOR, SOCKET, OTHER = "a.1", b"s" * 16, b"o" * 16
DAY = 24 * 3_600_000


@pytest.fixture
def store() -> Store:
    store = Store()
    assert store.begin(ACTOR, 1, 0, -DAY) is None
    store.remember(ACTOR, 1, SOCKET)
    return store


def test_state_and_index_change_together(store: Store) -> None:
    """P-NO-DUP: neither without the other, even if the state cannot be written."""
    store.commit(ACTOR, 1, {"n": 1}, {SOCKET: 7})
    with pytest.raises(TypeError):
        store.commit(ACTOR, 1, object(), {SOCKET: 8})
    assert store.socket(ACTOR, SOCKET) == SocketRecord(7, False, None, None)
    assert store.begin(ACTOR, 2, 0, -DAY) == {"n": 1}


def test_an_earlier_generation_is_fenced(store: Store) -> None:
    """Zombie runners: every write of an earlier life is refused, and so is its beginning."""
    store.begin(ACTOR, 2, 0, -DAY)
    for write in (
        lambda: store.commit(ACTOR, 1, {"n": 2}, {SOCKET: 9}),
        lambda: store.remember(ACTOR, 1, OTHER),
        lambda: store.conclude(ACTOR, 1, SOCKET, 1000, "", 0),
        lambda: store.forget(ACTOR, 1, SOCKET),
        lambda: store.begin(ACTOR, 1, 0, -DAY),
    ):
        with pytest.raises(Fenced, match=ACTOR.replace(".", r"\.")):
            write()
    assert store.socket(ACTOR, SOCKET) == SocketRecord(-1, False, None, None)


def test_a_quiet_socket_with_a_tunnel_does_not_age(store: Store) -> None:
    """HIB-R-03, HIB-R-10, F15: only the time without a tunnel counts."""
    store.begin(ACTOR, 2, 10 * DAY, 9 * DAY)  # open for ten days, and from now without a tunnel
    assert store.socket(ACTOR, SOCKET) is not None
    store.remember(ACTOR, 2, SOCKET)
    store.begin(ACTOR, 3, 30 * DAY, 29 * DAY)
    assert store.socket(ACTOR, SOCKET) is not None
    store.begin(ACTOR, 4, 32 * DAY, 31 * DAY)  # nobody opened it during the third life
    assert store.socket(ACTOR, SOCKET) is None


def test_a_closed_socket_is_remembered_for_a_while(store: Store) -> None:
    """HIB-R-05, CONN-R-06: with its code and reason, until nobody can open it any more."""
    store.conclude(ACTOR, 1, SOCKET, 4001, "bye", 5)
    assert store.socket(ACTOR, SOCKET) == SocketRecord(-1, True, 4001, "bye")
    store.begin(ACTOR, 2, DAY, 5)
    assert store.socket(ACTOR, SOCKET) is not None
    store.begin(ACTOR, 3, DAY + 6, 6)
    assert store.socket(ACTOR, SOCKET) is None


def test_runners_share_a_file(tmp_path: object) -> None:
    """Two processes' stores on one file see one another's commits."""
    first, second = Store(f"{tmp_path}/db"), Store(f"{tmp_path}/db")
    first.begin(ACTOR, 1, 0, -DAY)
    first.commit(ACTOR, 1, [1], {})
    assert second.begin(ACTOR, 2, 0, -DAY) == [1]
    with pytest.raises(Fenced):
        first.commit(ACTOR, 1, [2], {})
    first.close()
    second.close()


def test_a_close_is_durable_with_the_state_that_knows_of_it(store: Store) -> None:
    """P-CLOSE-ONCE: what an actor closes is closed in the same transaction; a life that was fenced changes neither."""
    store.commit(ACTOR, 1, {"done": True}, {SOCKET: 3}, {SOCKET: (4000, "done")}, 7)
    assert store.socket(ACTOR, SOCKET) == SocketRecord(3, True, 4000, "done")
    store.commit(ACTOR, 1, {}, {}, {SOCKET: (1000, "")}, 8)
    assert store.socket(ACTOR, SOCKET) == SocketRecord(3, True, 4000, "done")  # the first time counts
    store.begin(ACTOR, 2, 0, -DAY)
    with pytest.raises(Fenced):
        store.commit(ACTOR, 1, {}, {}, {OTHER: (1000, "")}, 9)
    assert store.socket(ACTOR, OTHER) is None
