"""What a mutant is, and the tests that look for one."""

import dataclasses


@dataclasses.dataclass
class Mutant:
    """One small mistake: in `file`, the `nth` place that reads `before` reads `after`."""

    file: str
    before: str
    after: str
    nth: int = 1
    reason: str = ""  # why it may be missed

    def of(self, text):
        """The text of its file with the mistake made; None where `before` is not there."""
        at = -1
        for _ in range(self.nth):
            at = text.find(self.before, at + 1)
            if at < 0:
                return None
        return text[:at] + self.after + text[at + len(self.before):]


@dataclasses.dataclass(frozen=True)
class Test:
    program: str
    filter: str
    seconds: int  # after which it counts as hanging


# What an executed backend is tried with: enough to see every kernel, in minutes.
CONTRACT = "*Operations*:*Lowering.executes*:*perturbed*:*scores*/parameter:*any_batch*/parameter:*a_stream_runs*"
RACES = "*CrossbarOracle*:-*a_thousand_rows*:*both_sides*"
