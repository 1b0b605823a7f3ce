#!/usr/bin/env python3
"""Compiles the GPU's kernels with NVRTC. No GPU is needed.

usage: compile.py write|check [--compiler FOLDER]
       compile.py machine-code [--compiler FOLDER] [FILE...]

write          PTX for the driver to translate: Sources/Machine/CGPUKernels/ptx/NAME.ptx, and the list of them
               that the program carries. Needs the compiler of ptx-requirements.txt: a driver refuses PTX
               of a newer compiler than its own; 12.1 writes what any driver from 530 on takes.
check          fails where a file is not what `write` would write.
machine-code   compiles for real architectures, prints what each kernel takes, and fails where one spills
               registers or lacks the instructions it was written for. Needs the newer compiler of
               requirements.txt. FILE: others than the kernels of the program.
--compiler     where pip has put the compiler (pip install --target FOLDER); else where Python finds it.

-fmad=false: the order of the arithmetic fuses where it says so and nowhere else."""

import ctypes
import hashlib
import re
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "Sources/Machine/CGPUKernels"
PTX_VERSION, PTX_ARCHITECTURE = (12, 1), "compute_80"
ARCHITECTURES = ["sm_80", "sm_86", "sm_89", "sm_90", "sm_120"]
OPTIONS = ["-fmad=false", "-prec-div=true", "-prec-sqrt=true", "-ftz=false", "--std=c++17"]
# The lowest 12 bits of an instruction of 16 bytes, and the kernels that must have it.
MATRIX, WITH_MATRICES = 0x237, {"prefill_q4_k", "prefill_q5_0"}
DOT, WITH_DOTS = 0x226, {"product", "gated", "down"}


class Compiler:
    def __init__(self, folder):
        if folder is None:
            import nvidia.cuda_nvrtc
            package = Path(list(nvidia.cuda_nvrtc.__path__)[0])
        else:
            package = Path(folder) / "nvidia/cuda_nvrtc"
        self.library = ctypes.CDLL(str(package / "lib/libnvrtc.so.12"))
        major, minor = ctypes.c_int(), ctypes.c_int()
        self.call("Version", ctypes.byref(major), ctypes.byref(minor))
        self.version = major.value, minor.value

    def call(self, name, *arguments):
        return getattr(self.library, "nvrtc" + name)(*arguments)

    def output(self, program, what):
        size = ctypes.c_size_t()
        self.call(f"Get{what}Size", program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        self.call(f"Get{what}", program, buffer)
        return buffer.raw

    def compile(self, path, architecture, what, *more):
        """The log, and the program as PTX or CUBIN."""
        program = ctypes.c_void_p()
        name = path.name.encode()
        self.call("CreateProgram", ctypes.byref(program), path.read_bytes(), name, 0, None, None)
        options = [f"--gpu-architecture={architecture}", f"-I{ROOT}/kernels", f"-I{ROOT}/include", *OPTIONS, *more]
        failed = self.call("CompileProgram", program, len(options),
                           (ctypes.c_char_p * len(options))(*(o.encode() for o in options)))
        log = self.output(program, "ProgramLog").rstrip(b"\0").decode()
        if failed:
            sys.exit(f"{path.name} for {architecture}: {log}")
        if "warning" in log:
            sys.exit(f"{path.name}: {log}")
        result = log, self.output(program, what)
        self.call("DestroyProgram", ctypes.byref(program))
        return result


def kernels():
    return sorted((ROOT / "kernels").glob("*.cu"))


def sources(path, seen=None):
    """A file and all that it includes for a GPU."""
    seen = [] if seen is None else seen
    if path not in seen and path.exists():
        seen.append(path)
        for name in re.findall(r'^\s*#include "([^"]+)"', path.read_text(), re.M):
            for folder in (ROOT / "kernels", ROOT / "include"):
                sources(folder / name, seen)
    return seen


def digest(path):
    """Of what a file is compiled from and how; comments and blanks do not matter."""
    state = hashlib.sha256(" ".join([PTX_ARCHITECTURE, str(PTX_VERSION), *OPTIONS]).encode())
    for source in sources(path):
        state.update(" ".join(re.sub(r"//.*", "", source.read_text()).split()).encode())
    return state.hexdigest()


def tidy(ptx):
    """Without blanks at ends, and without the constants that the compiler writes into every file unasked."""
    lines = (line.rstrip() for line in ptx.rstrip(b"\0").decode().strip().split("\n"))
    return "\n".join(line for line in lines if "_ZN" not in line or "nv6target" not in line) + "\n"


def written(compiler):
    """What belongs into the folder of PTX, by file name."""
    files = {}
    for path in kernels():
        _, ptx = compiler.compile(path, PTX_ARCHITECTURE, "PTX")
        files[path.stem + ".ptx"] = f"// of kernels/{path.name}, {digest(path)}\n" + tidy(ptx)
    lines = ["// Every file of PTX: a name and its text. Written by Tools/gpu-kernels/compile.py."]
    for path in kernels():
        lines += [f"static const char {path.stem}_ptx[] = {{", f'#embed "{path.stem}.ptx" suffix(, 0)', "};"]
    lines += ["static const gpu_ptx files[] = {"]
    lines += [f'    {{"{path.stem}", {path.stem}_ptx, sizeof {path.stem}_ptx - 1}},' for path in kernels()]
    files["files.h"] = "\n".join([*lines, "};", ""])
    return files


def write(compiler):
    folder = ROOT / "ptx"
    folder.mkdir(exist_ok=True)
    files = written(compiler)
    for path in folder.iterdir():
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (folder / name).write_text(text)
    print(f"{len(files) - 1} files, {sum(map(len, files.values()))} bytes")
    return 0


def check(compiler):
    folder, failures = ROOT / "ptx", 0
    files = written(compiler)
    there = {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else {}
    for name in sorted(files.keys() | there.keys()):
        if name not in files:
            wrong = "belongs to no kernel"
        elif name not in there:
            wrong = "is missing"
        elif files[name].split("\n", 1)[0] != there[name].split("\n", 1)[0]:
            wrong = "is of other sources"
        elif files[name] != there[name]:
            wrong = "differs"
        else:
            continue
        failures += 1
        print(f"{folder / name} {wrong}; run Tools/gpu-kernels/compile.py write", file=sys.stderr)
    return failures


def sections(elf):
    """Name and bytes of the sections of a 64-bit ELF file."""
    start, = struct.unpack_from("<Q", elf, 0x28)
    size, count, names = struct.unpack_from("<3H", elf, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", elf, start + size * i) for i in range(count)]
    text = headers[names][4]
    for name, _, _, _, offset, length in headers:
        end = elf.index(b"\0", text + name)
        yield elf[text + name:end].decode(), elf[offset:offset + length]


def machine_code(compiler, paths):
    failures = 0
    print(f"{'':8}{'kernel':20}{'registers':>10}{'spilled':>9}{'shared':>8}{'instructions':>14}{'mma':>6}{'dp4a, dp2a':>12}")
    for architecture in ARCHITECTURES:
        for path in paths:
            log, code = compiler.compile(path, architecture, "CUBIN", "--ptxas-options=-v")
            codes = {name[6:]: code for name, code in sections(code) if name.startswith(".text.")}
            for kernel, code in sorted(codes.items()):
                about = log[log.index(f"Function properties for {kernel}\n"):]
                spilled = sum(int(n) for n in re.findall(r"(\d+) bytes spill", about.split("Used")[0]))
                used = re.search(r"Used (\d+) registers.*", about)
                shared = re.search(r"(\d+) bytes smem", used[0])
                operations = [struct.unpack_from("<H", code, at)[0] & 0xFFF for at in range(0, len(code), 16)]
                matrices, dots = operations.count(MATRIX), operations.count(DOT)
                print(f"{architecture:8}{kernel:20}{used[1]:>10}{spilled:9}{shared[1] if shared else 0:>8}"
                      f"{len(operations):14}{matrices:6}{dots:12}")
                failures += (spilled > 0 or (kernel in WITH_MATRICES and matrices == 0)
                             or (kernel in WITH_DOTS and dots == 0))
    return failures


def main():
    arguments = sys.argv[1:]
    folder = None
    if "--compiler" in arguments[:-1]:
        at = arguments.index("--compiler")
        folder = arguments[at + 1]
        del arguments[at:at + 2]
    if arguments[:1] == ["machine-code"]:
        return 1 if machine_code(Compiler(folder), [Path(name) for name in arguments[1:]] or kernels()) else 0
    if arguments not in (["write"], ["check"]):
        sys.exit(__doc__)
    compiler = Compiler(folder)
    if compiler.version != PTX_VERSION:
        sys.exit("PTX is written by the compiler of ptx-requirements.txt, {}.{}; this is {}.{}"
                 .format(*PTX_VERSION, *compiler.version))
    return 1 if (write if arguments == ["write"] else check)(compiler) else 0


if __name__ == "__main__":
    sys.exit(main())
