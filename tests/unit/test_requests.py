"""What is waited for over the link: who is told of progress can't harm who tells."""

from __future__ import annotations

import asyncio

from runtower.link.requests import Requests
from runtower.link.wire import Parcel, Progress


async def test_a_listener_that_fails_is_heard_of_by_the_loop_and_not_by_the_stream() -> None:
    requests, wrong, told = Requests(), list[BaseException](), list[int]()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: wrong.append(context["exception"]))

    def listen(progress: Progress) -> None:
        told.append(progress.done)
        raise LookupError("the page is gone")

    operation, answer = requests.operate("download", {}, None, listen)
    requests.progressed(Progress(operation.request, 1))
    requests.progressed(Progress(operation.request, 2))
    await asyncio.sleep(0)
    assert told == [1, 2]
    assert [type(error) for error in wrong] == [LookupError, LookupError]
    assert not answer.done()
    answer.set_result(Parcel())
