#!/bin/sh
# Puts a copy made by backup.sh in the place of the store's data: deploy/restore.sh FILE. API and workers wait meanwhile. What the store
# held before is lost. COMPOSE: another way to call `docker compose`.
set -eu
compose=${COMPOSE:-docker compose}
test -s "$1"
$compose stop redis
# The copy becomes the base of a new append-only file.
$compose run --rm -T --no-deps redis sh -c '
    set -eu
    rm -rf /data/appendonlydir && mkdir /data/appendonlydir && cd /data/appendonlydir
    cat > appendonly.aof.1.base.rdb
    redis-check-rdb appendonly.aof.1.base.rdb > /dev/null
    echo "file appendonly.aof.1.base.rdb seq 1 type b" > appendonly.aof.manifest' < "$1"
$compose up -d --no-build --wait redis
