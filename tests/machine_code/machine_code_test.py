"""Machine code of the fused kernel as bench/gpu_model reads it: first the reader on a listing small enough to count by hand, then,
where nvcc is, what the kernel may cost on sm_90: no spills, 60 instructions a cell, products that are mostly products."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/gpu_model"))
import kernel  # noqa: E402
import networks  # noqa: E402
import sass  # noqa: E402

LISTING = """
\t.section\t.text._Z3oneP,"ax",@progbits
.text._Z3oneP:
\t//## File "/src/normal.h", line 7
        /*0000*/                   MOV R1, c[0x0][0x28] ;
.L_x_2:
        /*0010*/                   IADD3 R2, R2, 0x1, RZ ;
\t//## File "/src/adc.h", line 70
.L_x_1:
        /*0020*/                   FFMA R3, R3, R4, R5 ;
        /*0030*/              @!P0 BRA `(.L_x_3) ;
        /*0040*/                   CALL.REL.NOINC `($__internal_0_$__cuda_sm20_sqrt_rn_f32_slowpath) ;
.L_x_3:
        /*0050*/               @P1 BRA `(.L_x_1) ;
        /*0060*/              @!P2 BRA `(.L_x_2) ;
        /*0070*/                   EXIT ;
.L_x_4:
        /*0080*/                   BRA `(.L_x_4);
\t.section\t.text._Z3twoP,"ax",@progbits
        /*0000*/                   EXIT ;
"""


def reads_listings():
    kernels = sass.parse(LISTING)
    assert list(kernels) == ["_Z3oneP", "_Z3twoP"], list(kernels)
    one = kernels["_Z3oneP"]
    assert len(one.code) == 9 and len(kernels["_Z3twoP"].code) == 1
    assert (one.code[0].file, one.code[0].line) == ("normal.h", 7)
    assert (one.code[2].opcode, one.code[2].file, one.code[2].line) == ("FFMA", "adc.h", 70)
    assert one.code[3].predicate == "!P0" and one.code[4].opcode == "CALL.REL.NOINC" and one.code[4].operation == "CALL"
    # Two loops, one in the other; the branch to itself that ends every kernel is none.
    assert one.loops() == [sass.Loop(1, 6), sass.Loop(2, 5)], one.loops()
    assert one.innermost(lambda i: i.operation == "FFMA") == sass.Loop(2, 5)
    assert one.innermost(lambda i: i.operation == "IADD3") == sass.Loop(1, 6)
    # The slow path of a square root is not what an ordinary operand runs.
    assert [i.operation for i in one.executed(2, 5)] == ["FFMA", "BRA", "BRA"]
    assert sass.by_operation(one.code)["BRA"] == 4
    try:
        one.innermost(lambda i: i.operation == "IMMA")
    except ValueError:
        pass
    else:
        raise AssertionError("found a loop that is not there")


def finds_functions():
    source = (ROOT / "kernels/cuda/crossbar_sums.h").read_text().splitlines()
    lines = kernel.lines_of("crossbar_sums.h", "negate")
    assert "negate(PlaneSums&" in source[lines[0] - 1] and source[lines[-1] - 1] == "}", lines
    member = kernel.lines_of("crossbar_sums.h", "multiply_steps")
    assert "multiply_steps(const" in source[member[0] - 1] and source[member[-1] - 1] == "    }", member


def finds_the_layers_that_are_timed():
    assert networks.Layer("8192 vectors, 576 rows, 64 columns", 576, 64, 8192) in networks.fused_bench()


def kernel_keeps_to_its_cost():
    report, kernels = kernel.compile_and_read("sm_90", pathlib.Path(os.environ["MHO_BINARY"]).parents[1] / "generated")
    for variant in (kernel.VARIANT, kernel.NOISY_VARIANT):
        registers, stack, spilled = kernel.resources(report, variant)
        print(f"{variant.pattern}: {registers} registers, {stack} bytes of stack, {spilled} spilled")
        assert stack == 0 and spilled == 0
    counts = kernel.count("sm_90", report, kernels)
    print(f"{counts.cell:.1f} instructions a cell, {counts.products} products in a loop of {counts.product_loop}, "
          f"{counts.conversion:.1f} instructions a conversion")
    assert 30 < counts.cell <= 60
    assert counts.products >= 32 and counts.product_loop <= 2.5 * counts.products
    assert 5 < counts.conversion <= 12


def old_gpus_multiply_with_dp4a():
    """sm_75 has no tensor-core products of the kernel's shape."""
    source = '#include "kernels/cuda/tensor_core.h"\n' \
             "__global__ void k(int* s, const unsigned* x) { mho::cuda::multiply_tile(s + 4 * threadIdx.x, x, x + 4); }\n"
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "k.cu").write_text(source)
        subprocess.run([kernel._tool("nvcc"), "-std=c++20", "-arch=sm_75", f"-I{ROOT}", "-cubin", f"{folder}/k.cu", "-o", f"{folder}/k.cubin"], check=True)
        listing = subprocess.run([kernel._tool("nvdisasm"), "-c", f"{folder}/k.cubin"], capture_output=True, text=True, check=True).stdout
    operations = sass.by_operation(next(iter(sass.parse(listing).values())).code)
    assert operations["IDP"] == 32 and operations["IMMA"] == 0, operations


reads_listings()
finds_functions()
finds_the_layers_that_are_timed()
if not shutil.which("nvcc") and not pathlib.Path("/usr/local/cuda/bin/nvcc").exists():
    print("skipped: no nvcc to compile the kernel with")
    sys.exit(77)
kernel_keeps_to_its_cost()
old_gpus_multiply_with_dp4a()
