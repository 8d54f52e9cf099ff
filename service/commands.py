"""`python -m service keys …`: make, list and revoke keys in the store that the service uses, while it runs or not."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import redis

from service import keys
from service.embedded import socket_path
from store import server, trouble
from store.settings import Settings


def add_keys(parser: ArgumentParser) -> None:
    """The arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="make a key and print it, this once")
    create.add_argument("name", help="whose key it is")
    create.add_argument("--operator", action="store_true", help="a key that may also cancel and delete what belongs to others")
    actions.add_parser("list", help="print the ids, dates and names of all keys")
    actions.add_parser("revoke", help="make a key worthless at once").add_argument("id", help="as `list` prints it")


def run_keys(options: Namespace, settings: Settings) -> None:
    """Carry out one action; ends the program with one sentence where the store does not let it."""
    address = settings.redis_url or server.unix_url(socket_path(Path(settings.data).resolve()))
    try:
        with server.connect(settings.model_copy(update={"redis_url": address}), socket_connect_timeout=5) as client:
            _run(options, client)
    except redis.RedisError as error:
        reason = trouble.meaning(error)
        if reason is None:
            raise
        remedy = "; start the service, or set DLNFLOW_REDIS_URL or DLNFLOW_DATA as it has them" if reason == trouble.AWAY else ""
        raise SystemExit(reason + remedy) from None


def _run(options: Namespace, client: redis.Redis) -> None:
    match options.action:
        case "create":
            if not options.name.isprintable() or not options.name.strip():
                raise SystemExit("the name of a key must be letters that can be printed on one line")
            print(keys.create(client, options.name, operator=options.operator))
        case "list":
            for record in keys.records(client):
                print(record.id, record.created_at, record.name, *(["(operator)"] if record.operator else []))
        case "revoke":
            if not keys.revoke(client, options.id):
                raise SystemExit(f"there is no key {options.id}")
