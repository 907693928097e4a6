"""A process that decodes images for another one, and may die of them: a line in, a line out.

Each line is JSON: a `Job`, and the `Reply` to it; the first line out is READY. It ends when its input
does. It writes no file, and gets only so much memory.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from PIL import AvifImagePlugin, Image

from crawler.pixels.likeness import prepare
from crawler.pixels.proof import Faulty, Proof, Proven, prove
from storage.model import Verdict

READY: Final = b"ready\n"


@dataclass(frozen=True, slots=True)
class Job:
    """A file to prove: where it lies, its format, how, and how many pixels at most are decoded."""

    path: str
    kind: str
    how: str
    most: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a job: one of the three."""

    proven: Proven | None = None
    faulty: Faulty | None = None
    gone: bool = False


def answer(job: Job) -> Reply:
    """Do one job; nothing that a file holds makes this raise."""
    try:
        data = Path(job.path).read_bytes()
    except FileNotFoundError:
        return Reply(gone=True)
    except MemoryError:
        return Reply(faulty=Faulty(Verdict.TOO_LARGE, "the file takes more memory than it gets"))
    proof: Proof = prove(data, job.kind, job.how, job.most)
    return Reply(proven=proof) if isinstance(proof, Proven) else Reply(faulty=proof)


def confine(memory: int) -> None:
    """Take away what decoding needs not: memory over so many bytes, files to write, a core dump."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def _mapped() -> int:
    """Bytes of address space of this process (proc(5), statm); 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    return 0


def main() -> None:
    """Answer jobs until there are no more."""
    Image.init()
    # Each thread reserves memory that is never used, and counts against what a process may have.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    mapped = _mapped()
    prepare()  # what the library of looks maps is no memory of an image
    confine(int(sys.argv[1]) + _mapped() - mapped)
    decoder, encoder = msgspec.json.Decoder(Job), msgspec.json.Encoder()
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(encoder.encode(answer(decoder.decode(line))) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
