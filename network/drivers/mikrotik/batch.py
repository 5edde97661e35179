"""Many rows in few commands, on routers that take lists, that refuse them, and that pretend to."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from network.drivers.mikrotik.link import Command, Link

IDS_PER_COMMAND = 400

#: What is there already is what was wanted; what is gone already as well, where it was to go.
_THERE = re.compile(r"already|duplicate|same name|\bexists\b", re.IGNORECASE)
_GONE = re.compile(r"no such item|not found|does not exist|doesn't exist|unknown (item|id)", re.IGNORECASE)
_UNKNOWN = re.compile(r"unknown|unexpected|unsupported|invalid (parameter|property|attribute)", re.IGNORECASE)
#: A refusal that speaks of the word the row was named by, not of its values.
_NAMING = re.compile(r"\.id|\bnumbers\b|unknown parameter|missing|no such item", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Job:
    """The same words for every row of ``ids``."""

    command: str
    ids: tuple[str, ...]
    words: tuple[str, ...] = ()


def is_there(trap: str) -> bool:
    return bool(_THERE.search(trap))


def is_gone(trap: str) -> bool:
    return bool(_GONE.search(trap))


class Batch:
    """Changes rows named by their ids. What a router takes is remembered for the connection."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._takes_lists = True
        self._word = ".id"

    def run(self, jobs: Sequence[Job]) -> dict[str, str]:
        """Lists first, then one by one what was in a refused list, so that one bad row stops no other.

        Returns what was refused, by id. That a list was not refused does not say that all of it was done: see
        ``unproven``.
        """
        singles = [Job(job.command, (one,), job.words) for job in jobs for one in job.ids if len(job.ids) == 1]
        lists = [job for job in jobs if len(job.ids) > 1]
        if not self._takes_lists:
            return self.one_by_one([*singles, *lists])
        chunks = [
            Job(job.command, job.ids[start : start + IDS_PER_COMMAND], job.words)
            for job in lists
            for start in range(0, len(job.ids), IDS_PER_COMMAND)
        ]
        replies = self._link.run([self._sentence(job) for job in (*chunks, *singles)])
        answered = list(zip((*chunks, *singles), replies, strict=True))
        again = [job for job, reply in answered if reply.trap]
        refused = self.one_by_one(again)
        if any(len(job.ids) > 1 for job in again) and not refused:
            self._takes_lists = False  # it was the list that was refused, not a row of it
        return refused

    def one_by_one(self, jobs: Sequence[Job]) -> dict[str, str]:
        """A command for each row; what was refused, by id."""
        singles = [Job(job.command, (one,), job.words) for job in jobs for one in job.ids]
        traps = self._try(singles)
        other = [job for job in singles if _NAMING.search(traps.get(job.ids[0], ""))]
        if other and self._word == ".id":
            self._word = "numbers"
            told = self._try(other)
            if len(told) == len(other):
                self._word = ".id"
            else:
                traps = {one: trap for one, trap in traps.items() if not _NAMING.search(trap)} | told
        return traps

    def traps_of(self, commands: Sequence[Command]) -> list[str]:
        """The same for commands whose second word is ``=.id=…`` with a single id: the refusal of each."""
        jobs = [Job(command[0], (command[1].removeprefix("=.id="),), tuple(command[2:])) for command in commands]
        refused = self.run(jobs)
        return [refused.get(job.ids[0], "") for job in jobs]

    def unproven(self, jobs: Sequence[Job], is_right: Callable[[str], bool]) -> list[Job]:
        """What a freshly read router shows not to be done: it took a list and obeyed a part of it."""
        left = [Job(job.command, tuple(one for one in job.ids if not is_right(one)), job.words) for job in jobs]
        left = [job for job in left if job.ids]
        self._takes_lists = self._takes_lists and not left
        return left

    def _try(self, singles: Sequence[Job]) -> dict[str, str]:
        replies = self._link.run([self._sentence(job) for job in singles])
        return {job.ids[0]: reply.trap for job, reply in zip(singles, replies, strict=True) if reply.trap}

    def _sentence(self, job: Job) -> Command:
        return (job.command, f"={self._word}={','.join(job.ids)}", *job.words)


def run_leaving_out(
    attempt: Callable[[Sequence[Command]], Sequence[str]], commands: Sequence[Command], optional: Sequence[str]
) -> list[tuple[str, frozenset[str]]]:
    """Run, and once more without a property this router does not know: each refusal, with what was left out.

    ``attempt`` gives the refusals of commands, empty for what was obeyed. ``optional`` names what may be left out, what
    is likeliest unknown first.
    """
    found: list[tuple[str, frozenset[str]]] = [(trap, frozenset()) for trap in attempt(commands)]
    for without in [*(frozenset([name]) for name in optional), frozenset(optional)]:
        todo = [at for at, (trap, _) in enumerate(found) if _may_help(trap, without, optional)]
        shorter = {at: _shortened(commands[at], without) for at in todo}
        shorter = {at: words for at, words in shorter.items() if len(words) < len(commands[at])}
        for at, trap in zip(shorter, attempt(list(shorter.values())), strict=True):
            if not _UNKNOWN.search(trap):
                found[at] = (trap, without)
    return found


def _may_help(trap: str, without: Collection[str], optional: Sequence[str]) -> bool:
    """Whether the refusal is about a property, and about none that stays in."""
    named = {name for name in optional if name in trap}
    return bool(_UNKNOWN.search(trap)) and (not named or named <= set(without))


def _shortened(words: Command, without: Collection[str]) -> list[str]:
    return [word for word in words if not word.startswith(tuple(f"={name}=" for name in without))]
