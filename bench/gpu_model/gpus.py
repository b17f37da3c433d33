"""Published figures of the GPUs that the report is about (NVIDIA's data sheets and architecture white papers, SXM versions).

int8_tops: dense tensor-core rate at the boost clock. Of a multiply-add, multiply and add count as one operation each.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Gpu:
    name: str
    architecture: str
    multiprocessors: int
    clock_ghz: float
    int8_tops: float
    memory_tb_s: float
    shared_kib: int  # a multiprocessor
    registers: int = 65536  # a multiprocessor
    issue: int = 4  # warp instructions a clock and multiprocessor


GPUS = [
    Gpu("A100 80 GB", "sm_80", 108, 1.41, 624, 2.04, 164),
    Gpu("H100", "sm_90", 132, 1.83, 1979, 3.35, 228),
    Gpu("H200", "sm_90", 132, 1.83, 1979, 4.8, 228),
    Gpu("B200", "sm_100", 148, 1.86, 4500, 7.7, 228),
]
