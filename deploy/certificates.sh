#!/bin/sh
# Makes a private authority (ca.crt, ca.key) and a certificate for the store's host (server.crt, server.key), valid for two years.
# Usage: certificates.sh FOLDER HOST…    (an authority that is there already is used again)
# Keep ca.key away from every host that serves; clients need ca.crt alone.
set -eu
folder=$1
shift
mkdir -p "$folder"
cd "$folder"
umask 077
names=$(printf 'DNS:%s,' "$@")
[ -f ca.key ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 730 -subj "/CN=dlnflow store authority" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.crt 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout server.key -out server.csr 2>/dev/null
printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\nauthorityKeyIdentifier=keyid\n' "${names%,}" > server.ext
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 730 -extfile server.ext -out server.crt 2>/dev/null
rm server.csr server.ext
chmod 644 ca.crt server.crt
