"""`python -m service keys …`: make, list and revoke keys in the store that the service uses, while it runs or not."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from dlnflow.jobs import server
from dlnflow.jobs.settings import Settings
from service import keys
from service.embedded import socket_path


def add_keys(parser: ArgumentParser) -> None:
    """The arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("create", help="make a key and print it, this once").add_argument("name", help="whose key it is")
    actions.add_parser("list", help="print the ids, dates and names of all keys")
    actions.add_parser("revoke", help="make a key worthless at once").add_argument("id", help="as `list` prints it")


def run_keys(options: Namespace, settings: Settings) -> None:
    """Carry out one action."""
    address = settings.redis_url or f"unix://{socket_path(Path(settings.data).resolve())}"
    with server.connect(settings.model_copy(update={"redis_url": address}), socket_connect_timeout=5) as client:
        match options.action:
            case "create":
                print(keys.create(client, options.name))
            case "list":
                for record in keys.records(client):
                    print(record.id, record.created_at, record.name)
            case "revoke":
                if not keys.revoke(client, options.id):
                    raise SystemExit(f"there is no key {options.id}")
