#!/usr/bin/env python3
"""Compiles products.cu for real architectures with NVRTC and prints what each kernel takes.

No GPU is needed. -fmad=false: the order of the arithmetic fuses where it says so and nowhere else.
Fails where a kernel does not compile, spills registers, or lacks the instruction it was written for."""

import ctypes
import re
import struct
import sys
from pathlib import Path

import nvidia.cuda_nvrtc

ARCHITECTURES = ["sm_80", "sm_86", "sm_89", "sm_90", "sm_120"]
# The lowest 12 bits of an instruction of 16 bytes.
OPCODES = {"mma": 0x237, "dp": 0x226}
OPTIONS = ["-fmad=false", "--std=c++17", "--ptxas-options=-v"]


class Compiler:
    def __init__(self):
        folder = Path(list(nvidia.cuda_nvrtc.__path__)[0]) / "lib"
        self.library = ctypes.CDLL(str(folder / "libnvrtc.so.12"))

    def call(self, name, *arguments):
        return getattr(self.library, "nvrtc" + name)(*arguments)

    def text(self, program, what):
        size = ctypes.c_size_t()
        self.call(f"Get{what}Size", program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        self.call(f"Get{what}", program, buffer)
        return buffer.raw

    def compile(self, source, architecture):
        """The log and the machine code."""
        program = ctypes.c_void_p()
        self.call("CreateProgram", ctypes.byref(program), source, b"products.cu", 0, None, None)
        options = [f"--gpu-architecture={architecture}".encode(), *(o.encode() for o in OPTIONS)]
        failed = self.call(
            "CompileProgram", program, len(options), (ctypes.c_char_p * len(options))(*options))
        log = self.text(program, "ProgramLog").rstrip(b"\0").decode()
        if failed:
            sys.exit(f"{architecture}: {log}")
        return log, self.text(program, "CUBIN")


def sections(elf):
    """Name and bytes of the sections of a 64-bit ELF file."""
    start, = struct.unpack_from("<Q", elf, 0x28)
    size, count, names = struct.unpack_from("<3H", elf, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", elf, start + size * i) for i in range(count)]
    text = headers[names][4]
    for name, _, _, _, offset, length in headers:
        end = elf.index(b"\0", text + name)
        yield elf[text + name:end].decode(), elf[offset:offset + length]


def main():
    source = (Path(__file__).parent / "products.cu").read_bytes()
    compiler = Compiler()
    failures = 0
    print(f"{'':8}{'kernel':14}{'registers':>10}{'spilled':>9}{'instructions':>14}{'mma':>6}{'dp4a, dp2a':>12}")
    for architecture in ARCHITECTURES:
        log, machine_code = compiler.compile(source, architecture)
        codes = {name[6:]: code for name, code in sections(machine_code) if name.startswith(".text.")}
        for kernel, code in sorted(codes.items()):
            about = log[log.index(f"Function properties for {kernel}\n"):]
            spilled = sum(int(n) for n in re.findall(r"(\d+) bytes spill", about.split("Used")[0]))
            registers = int(re.search(r"Used (\d+) registers", about)[1])
            operations = [struct.unpack_from("<H", code, at)[0] & 0xFFF for at in range(0, len(code), 16)]
            counts = {name: operations.count(opcode) for name, opcode in OPCODES.items()}
            print(f"{architecture:8}{kernel:14}{registers:10}{spilled:9}{len(operations):14}"
                  f"{counts['mma']:6}{counts['dp']:12}")
            wanted = "mma" if kernel.startswith("prefill") else "dp"
            failures += spilled > 0 or counts[wanted] == 0
    return failures


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
