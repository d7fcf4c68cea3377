"""What a gateway's directory owes its runners. The tables only pass the frames on that concern it (``PassOn``).

Which runner gets an actor is the directory's own affair. But what it says of that must hold together: commands over a link are
numbered upwards; each start of an actor has a higher generation than those before; a stop names the life that runs there; a
socket is opened where its actor was started, and not stopped since; an actor that asks to sleep is stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tunnelspec.frames import CommandStartActor, CommandWrapper

STOPS = ("LINK-G-06",)
"""By that transition the directory hears that an actor asks to be stopped."""


@dataclass
class Duties:
    """What was commanded over the links of one conversation."""

    numbers: dict[int, int] = field(default_factory=dict)  # link -> of its latest command
    generations: dict[str, int] = field(default_factory=dict)  # actor -> of its latest start, over any link
    lives: dict[tuple[int, str], int] = field(default_factory=dict)  # (link, actor) -> generation that runs there

    def allow(self, link: int, wrapper: CommandWrapper) -> bool:
        """Take note of a command; whether it holds together with those before it."""
        command, before = wrapper.inner, self.numbers.get(link)
        self.numbers[link] = wrapper.index
        if before is not None and wrapper.index <= before:
            return False
        if not isinstance(command, CommandStartActor):
            return self.lives.pop((link, command.actorId), None) == command.generation
        latest = self.generations.get(command.actorId)
        self.generations[command.actorId] = self.lives[link, command.actorId] = command.generation
        return latest is None or command.generation > latest

    def runs(self, link: int, actor: str) -> bool:
        """Whether the actor was started over that link, and not stopped since."""
        return (link, actor) in self.lives
