"""python -m samples: draw, photos."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from samples import console
from samples.errors import SamplesError, SourceUnreachable
from samples.gallery import VERSION, draw_gallery
from samples.photos import FLOWERS, PhotoSet, fetch_photos

FINE, FAILED, INTERRUPTED = 0, 1, 130


def main(arguments: Sequence[str] | None = None, photo_set: PhotoSet = FLOWERS) -> int:
    """Returns the exit code: 0 fine, 1 failed, 2 bad usage (from argparse), 130 interrupted."""
    options = _parser().parse_args(arguments)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _draw(options) if options.command == "draw" else _photos(options, photo_set)
    except KeyboardInterrupt:
        return _fail("Interrupted; the same command again finishes the work.", INTERRUPTED)
    except SourceUnreachable as error:
        return _fail(
            f"{error} Without a network, index a folder of your own with make run IMAGES=folder, "
            "or the drawn sample photos with make run; with one, run this again: it goes on where it ended.",
            FAILED,
        )
    except SamplesError as error:
        return _fail(str(error), FAILED)
    except OSError as error:
        return _fail(f"{error.filename or options.out} cannot be written: {error.strerror}.", FAILED)
    finally:
        signal.signal(signal.SIGTERM, before)


def _draw(options: argparse.Namespace) -> int:
    begun_s = time.monotonic()
    drawn = draw_gallery(options.out, console.progress_bar("Drawing"))
    found = list(options.out.glob("*/*.jpg"))
    size_bytes = sum(path.stat().st_size for path in found)
    if options.json:
        summary = {"out": str(options.out), "version": VERSION, "pictures": len(found), "drawn": drawn}
        console.say_json({**summary, "bytes": size_bytes, "seconds": round(time.monotonic() - begun_s, 3)})
    elif drawn:
        console.say(
            f"{len(found)} sample pictures drawn into {options.out}, {console.megabytes(size_bytes)}, "
            f"in {time.monotonic() - begun_s:.0f} s."
        )
    else:
        console.say(f"{len(found)} sample pictures are in {options.out} already.")
    return FINE


def _photos(options: argparse.Namespace, photo_set: PhotoSet) -> int:
    fetched = fetch_photos(options.out, photo_set, console.progress_bar("Fetching", console.megabytes))
    folder = options.out / photo_set.name
    if options.json:
        console.say_json({"out": str(folder), "photos": photo_set.photos, "fetched": fetched})
    else:
        state = "now in" if fetched else "already in"
        console.say(f"{photo_set.photos} photos are {state} {folder}. Index them: make run IMAGES={folder}")
    return FINE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m samples", description="Pictures to try the search on.")
    commands = parser.add_subparsers(dest="command", required=True)
    draw = commands.add_parser("draw", help="draw the sample pictures; needs no network")
    draw.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder that becomes the gallery"
    )
    photos = commands.add_parser("photos", help="fetch 3,670 photos of flowers (CC BY, 229 MB)")
    photos.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder that gets flower_photos/"
    )
    for command in (draw, photos):
        command.add_argument("--json", action="store_true", help="say what was done as one line of JSON")
    return parser


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _fail(sentence: str, code: int) -> int:
    console.complain(sentence)
    return code


if __name__ == "__main__":
    sys.exit(main())
