"""A listing of `nvdisasm -g -c` as instructions, with the loops they form and the source lines they come from."""

import collections
import dataclasses
import re

_SECTION = re.compile(r"\s*\.section\s+\.text\.([^,\s]+),")
_LINE = re.compile(r'\s*//## File "([^"]+)", line (\d+)')
_LABEL = re.compile(r"(\.L_x_\d+):")
_INSTRUCTION = re.compile(r"\s*/\*([0-9a-f]+)\*/\s+(?:@(!?U?P\w+)\s+)?([A-Z][A-Z0-9_.]*)\s*(.*?)\s*;")
_TARGET = re.compile(r"\((\.L_x_\d+)\)")


@dataclasses.dataclass(frozen=True)
class Instruction:
    opcode: str
    predicate: str | None
    operands: str
    file: str  # name without its folder; "" where the compiler says none
    line: int

    @property
    def operation(self) -> str:
        return self.opcode.split(".")[0]


@dataclasses.dataclass(frozen=True)
class Loop:
    """Instructions [first, last] of a kernel, the last one branching back to the first."""

    first: int
    last: int


@dataclasses.dataclass
class Kernel:
    name: str
    code: list[Instruction]
    labels: dict[str, int]  # index of the instruction that each label stands before

    def target(self, index: int) -> int | None:
        """Where a branch leads; None for what is no branch within the kernel."""
        instruction = self.code[index]
        found = _TARGET.search(instruction.operands)
        if instruction.operation != "BRA" or not found:
            return None
        return self.labels.get(found.group(1))

    def loops(self) -> list[Loop]:
        found = {}
        for last in range(len(self.code)):
            first = self.target(last)
            if first is not None and first <= last and first != last:
                found[first] = max(last, found.get(first, last))
        return [Loop(first, last) for first, last in sorted(found.items())]

    def innermost(self, contains) -> Loop:
        """The shortest loop with an instruction for which `contains` holds."""
        fitting = [l for l in self.loops() if any(contains(i) for i in self.code[l.first : l.last + 1])]
        if not fitting:
            raise ValueError(f"{self.name}: no such loop")
        return min(fitting, key=lambda l: l.last - l.first)

    def executed(self, first: int, last: int) -> list[Instruction]:
        """Instructions [first, last] but for the slow paths of square roots and divisions: blocks that call a
        routine, which a conditional branch before them skips for every ordinary operand."""
        leaders = set(self.labels.values()) | {i + 1 for i, c in enumerate(self.code) if c.operation in ("BRA", "EXIT", "RET")}
        skipped = set()
        for index in range(first, last + 1):
            if self.code[index].operation != "CALL" or "slowpath" not in self.code[index].operands:
                continue
            begin, end = index, index + 1
            while begin > first and begin not in leaders:
                begin -= 1
            while end <= last and end not in leaders:
                end += 1
            skipped.update(range(begin, end))
        return [self.code[i] for i in range(first, last + 1) if i not in skipped]


def parse(listing: str) -> dict[str, Kernel]:
    """Kernels by their mangled name."""
    kernels, kernel, place = {}, None, ("", 0)
    for text in listing.splitlines():
        if found := _SECTION.match(text):
            kernel, place = Kernel(found.group(1), [], {}), ("", 0)
            kernels[kernel.name] = kernel
        elif kernel is None:
            continue
        elif found := _LINE.match(text):
            place = (found.group(1).rsplit("/", 1)[-1], int(found.group(2)))
        elif found := _LABEL.match(text):
            kernel.labels[found.group(1)] = len(kernel.code)
        elif found := _INSTRUCTION.match(text):
            kernel.code.append(Instruction(found.group(3), found.group(2), found.group(4), *place))
    return kernels


def by_operation(code) -> collections.Counter:
    return collections.Counter(i.operation for i in code)
