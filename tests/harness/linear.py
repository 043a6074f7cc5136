"""Whether concurrent calls took place one after the other: the search for such an order, and models of what is changed.

A history is linearizable if there is an order of its calls in which each comes after every call that had ended before
it started, and in which a sequential model answers what was answered (Herlihy and Wing, "Linearizability", 1990). The
search is that of Wing and Gong, and remembers where it failed.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

# Of one search; a history that needs more is too entangled to be judged.
STEPS_MAX = 500_000


@dataclass(frozen=True)
class Refused:
    """The answer to a call that was refused."""

    code: str


@dataclass(frozen=True)
class Call:
    """A call with what was answered, and when it was under way in units of any clock."""

    start: int
    end: int
    operation: tuple
    answer: Any


@dataclass
class History:
    """The calls to one object; calls to another one say nothing about it."""

    calls: list = field(default_factory=list)

    def call(self, operation, function):
        """Makes a call and notes it; returns its answer."""
        start = time.monotonic_ns()
        try:
            answer = function()
        except ClientError as error:
            answer = Refused(error.response["Error"]["Code"])
        self.calls.append(Call(start, time.monotonic_ns(), operation, answer))
        return answer


def serial_order(calls, state, step):
    """An order of `calls` which the model admits, or `None`.

    `step(state, operation, answer)` is the state after a call, or `None` if it cannot be answered so. States can be
    compared and hashed.
    """
    calls = sorted(calls, key=lambda call: call.start)
    everything = (1 << len(calls)) - 1
    failed, order, steps = set(), [], 0
    # For each call of the order: what was done before it, and what else may be tried in its place.
    path = [(0, state, candidates(calls, 0))]
    while path:
        done, state, untried = path[-1]
        if done == everything:
            return [calls[number] for number in order]
        number = next(untried, None)
        if number is None:
            failed.add((done, state))
            path.pop()
            if order:
                order.pop()
            continue
        steps += 1
        assert steps <= STEPS_MAX, f"no order of {len(calls)} calls was found in {STEPS_MAX} steps"
        after = step(state, calls[number].operation, calls[number].answer)
        reached = (done | 1 << number, after)
        if after is not None and reached not in failed:
            order.append(number)
            path.append((*reached, candidates(calls, reached[0])))
    return None


def candidates(calls, done):
    """The calls that may be next: those that started before any other one that is not done had ended."""
    found, first_end = [], None
    number = (~done & (done + 1)).bit_length() - 1
    while number < len(calls) and (first_end is None or calls[number].start <= first_end):
        if not done >> number & 1:
            found.append(number)
            first_end = min(calls[number].end, first_end or calls[number].end)
        number += 1
    return iter(sorted(found, key=lambda number: calls[number].end))


def registers(state, operation, answer):
    """Values by name: ("write", {name: value, or None for nothing}), or ("read",), which answers with all of them."""
    if operation[0] == "read":
        return state if answer == state else None
    if isinstance(answer, Refused):
        return None
    written = operation[1]
    kept = {(name, value) for name, value in state if name not in written}
    return frozenset(kept | {(name, value) for name, value in written.items() if value is not None})


def rules(state, operation, answer):
    """The rules of a listener: (ARN, priority, text) of each."""
    kind, *arguments = operation
    priorities = {arn: priority for arn, priority, _ in state}
    if kind == "read":
        return state if answer == state else None
    if kind == "create":
        priority, text = arguments
        if priority in priorities.values():
            return state if answer == Refused("PriorityInUse") else None
        is_new = not isinstance(answer, Refused) and answer not in priorities
        return state | {(answer, priority, text)} if is_new else None
    wanted = arguments[0] if kind == "order" else {arguments[0]: None}
    if not set(wanted) <= set(priorities):
        return state if answer == Refused("RuleNotFound") else None
    if kind == "delete":
        after = {rule for rule in state if rule[0] not in wanted}
    elif kind == "modify":
        after = {(arn, priority, arguments[1] if arn in wanted else text) for arn, priority, text in state}
    else:
        others = {priority for arn, priority in priorities.items() if arn not in wanted}
        if others & set(wanted.values()):
            return state if answer == Refused("PriorityInUse") else None
        after = {(arn, wanted.get(arn, priority), text) for arn, priority, text in state}
    return frozenset(after) if not isinstance(answer, Refused) else None


def used_by_one(unknown, gone, in_use):
    """The model of things that are made and deleted, and of one other thing that uses some of them.

    The codes are those of the refusals to use what is not there, to delete it (`None`: that is no error), and to delete
    what is used.
    """

    def step(state, operation, answer):
        there, used = state
        kind, *arguments = operation
        if kind == "read":
            return state if answer == used else None
        if kind == "list":
            return state if answer == there else None
        if kind == "create":
            is_new = not isinstance(answer, Refused) and answer not in there
            return (there | {answer}, used) if is_new else None
        [named] = arguments
        if kind == "set":
            refusal = None if named <= there else unknown
            after = (there, named)
        else:
            refusal = gone if named not in there else in_use if named in used else None
            after = (there - {named}, used)
        if refusal:
            return state if answer == Refused(refusal) else None
        return None if isinstance(answer, Refused) else after

    return step


security_groups = used_by_one("InvalidSecurityGroup", "InvalidGroup.NotFound", "DependencyViolation")
target_groups = used_by_one("TargetGroupNotFound", None, "ResourceInUse")


def load_balancer(state, operation, answer):
    """A name: the ARN of the load balancer that has it or `None`, and its listeners (ARN, port, text of the answer)."""
    arn, listeners = state
    kind, *arguments = operation
    is_refused = isinstance(answer, Refused)
    if kind == "create":
        # With the same settings it is found, not made.
        fits = not is_refused if arn is None else answer == arn
        return (answer if arn is None else arn, listeners) if fits else None
    if kind == "delete":
        # What is gone is deleted already.
        after = (None, frozenset()) if arguments[0] == arn else state
        return None if is_refused else after
    if kind == "find":
        return state if answer == (Refused("LoadBalancerNotFound") if arn is None else arn) else None
    if kind == "unlisten":
        kept = frozenset(one for one in listeners if one[0] != arguments[0])
        if kept == listeners:
            return state if answer == Refused("ListenerNotFound") else None
        return None if is_refused else (arn, kept)
    if arguments[0] != arn:
        return state if answer == Refused("LoadBalancerNotFound") else None
    if kind == "list":
        return state if answer == listeners else None
    port, text = arguments[1:]
    for listener, used, shown in listeners:
        if used == port:
            return state if answer == (listener if shown == text else Refused("DuplicateListener")) else None
    is_new = not is_refused and answer not in {one[0] for one in listeners}
    return (arn, listeners | {(answer, port, text)}) if is_new else None
