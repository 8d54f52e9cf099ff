#!/bin/sh
# Writes a copy of the running store, as of now, to a file: deploy/backup.sh FILE. COMPOSE: another way to call `docker compose`.
set -eu
${COMPOSE:-docker compose} exec -T redis sh -c 'umask 077; redis-cli --rdb /tmp/backup.rdb >&2 && cat /tmp/backup.rdb && rm /tmp/backup.rdb' > "$1.part"
mv "$1.part" "$1"
