"""A process that decodes images for another one, and may die of them: a line in, a line out.

Each line is JSON: a `DecodeJob`, and the `DecodeReply` to it; the first line out is READY. It ends when
its input does. It writes no file, and gets only so much memory.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import sys
from pathlib import Path
from typing import Final

import msgspec
from PIL import AvifImagePlugin, Image

from crawler.images.decode import Decoded, DecodeFailure, Proof, prove
from crawler.images.perceptual_hash import prepare
from storage.frozen import frozen
from storage.model import Verdict

READY: Final = b"ready\n"


@frozen
class DecodeJob:
    """A file to prove: where it lies, its format, how, and how many pixels at most are decoded."""

    path: str
    kind: str
    how: str
    max_pixels: int


@frozen
class DecodeReply:
    """What became of a job: one of the three."""

    proven: Decoded | None = None
    faulty: DecodeFailure | None = None
    gone: bool = False


def answer(job: DecodeJob) -> DecodeReply:
    """Do one job; nothing that a file holds makes this raise."""
    try:
        data = Path(job.path).read_bytes()
    except FileNotFoundError:
        return DecodeReply(gone=True)
    except MemoryError:
        return DecodeReply(faulty=DecodeFailure(Verdict.TOO_LARGE, "the file takes more memory than it gets"))
    proof: Proof = prove(data, job.kind, job.how, job.max_pixels)
    return DecodeReply(proven=proof) if isinstance(proof, Decoded) else DecodeReply(faulty=proof)


def confine(memory: int) -> None:
    """Take away what decoding needs not: memory over so many bytes, files to write, a core dump."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for resource_kind, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource_kind, (limit, limit))


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
    mapped_bytes = _mapped()
    prepare()  # what the library of looks maps is no memory of an image
    confine(int(sys.argv[1]) + _mapped() - mapped_bytes)
    decoder, encoder = msgspec.json.Decoder(DecodeJob), msgspec.json.Encoder()
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(encoder.encode(answer(decoder.decode(line))) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
