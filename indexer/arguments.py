"""The command line and the environment, as settings."""

from __future__ import annotations

import argparse
from pathlib import Path

from imagesearch.host.command_line import settings_help
from indexer.settings import IndexerSettings

COMMANDS = {
    "build": "index what is new or changed, drop what is gone, publish a snapshot",
    "watch": "build, then follow the folder and publish what comes, changes or goes, until it is stopped",
    "status": "show what the store holds",
    "verify": "read every file of the store and report damage",
    "prune": "remove old snapshots, never the live one",
    "selftest": "search with altered photos of the collection and tell which find their originals",
    "match": "tell which files are in the collection already: identical, altered, similar or new",
    "duplicates": "list photos that are identical, altered copies or other shots of one another",
    "quantize": "make the int8 form of the network from a sample of the photos, if it proves good enough",
    "weights": "fetch (or take VGG16_WEIGHTS), check and convert VGG16's weights",
}


def settings_of(options: argparse.Namespace) -> IndexerSettings:
    given = {"images_dir": options.images, "store_dir": options.store}
    return IndexerSettings(**{name: value for name, value in given.items() if value is not None})


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(
        prog="python -m indexer",
        description="Describes a folder of photos and publishes what a search needs.",
        epilog="exit codes: 0 fine, 1 failed, 2 bad usage, 130 interrupted\n\n"
        + settings_help(IndexerSettings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, does in COMMANDS.items():
        command = commands.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")
        command.add_argument("--store", type=_folder, help="folder of the store; default INDEXER_STORE_DIR")
        command.add_argument("--json", action="store_true", help="print one JSON object instead of text")
        command.set_defaults(images=None)
    for name in ("build", "watch", "selftest", "match", "quantize"):
        commands.choices[name].add_argument(
            "--images", type=_folder, help="folder of photos; default INDEXER_IMAGES_DIR"
        )
    _add_selftest_arguments(commands.choices["selftest"])
    _add_match_arguments(commands.choices["match"])
    commands.choices["duplicates"].add_argument(
        "--csv", action="store_true", help="print a line of values for each photo"
    )
    build_command = commands.choices["build"]
    build_command.add_argument(
        "--rebuild",
        action="store_true",
        help="describe all photos again, with the network that the settings ask for",
    )
    build_command.add_argument(
        "--check",
        action="store_true",
        help="read every photo, to find other bytes behind the same size and time",
    )
    build_command.add_argument(
        "--accept-loss",
        "--allow-empty",
        action="store_true",
        help="let go of photos that are gone from the folder however many they are, all of them where it is "
        "empty or another one",
    )
    build_command.add_argument(
        "--dask",
        default="",
        metavar="ADDRESS",
        help="describe on the workers of a Dask cluster, whose scheduler is at this address: tcp://host:8786",
    )
    commands.choices["prune"].add_argument(
        "--keep", type=_at_least_one, default=1, help="how many of the newest snapshots stay (default 1)"
    )
    return whole


def _add_match_arguments(command: argparse.ArgumentParser) -> None:
    command.epilog = (
        "exit codes: 0 every file is in the collection, identical or altered; 3 some are not; 4 some could "
        "not be read; 1, 2 and 130 as for the other commands"
    )
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files, or folders of photos")
    command.add_argument("--csv", action="store_true", help="print a line of values for each match")


def _add_selftest_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--photos",
        type=_at_least_one,
        default=100,
        help="how many photos are drawn (default 100)",
    )
    command.add_argument("--seed", type=_seed, default=0, help="of all that is random (default 0)")
    command.add_argument("--report", type=Path, help="HTML file to write; default selftest.html in the store")
    command.add_argument("--exact", action="store_true", help="compare with every photo, without the index")
    command.add_argument("--expand", action="store_true", help="widen each search by its first results")
    command.add_argument(
        "--verify",
        action=argparse.BooleanOptionalAction,
        help="re-rank the first results by their geometry; by default where there are local features",
    )


def _folder(text: str) -> Path:
    """Not the current folder where a shell's variable is unset."""
    if not text:
        raise argparse.ArgumentTypeError("it names no folder; for the current one give .")
    return Path(text)


def _at_least_one(text: str) -> int:
    return _whole_number(text, at_least=1)


def _seed(text: str) -> int:
    return _whole_number(text, at_least=0)


def _whole_number(text: str, at_least: int) -> int:
    if not text.isdecimal() or int(text) < at_least:
        raise argparse.ArgumentTypeError(f"it must be a whole number from {at_least} up")
    return int(text)
