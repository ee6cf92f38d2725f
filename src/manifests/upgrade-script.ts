/**
 * pg_upgrade on a volume, by renames and marks so that it may end at any point and be run again. Beside the data
 * directory: `upgrade.busy` keeps a server from starting meanwhile, `upgrade-N` is the new cluster,
 * `upgrade-N.complete` says that it is whole, `replaced-M` is the old one. With --link both share files, so the old one
 * is never started again once the new one is whole; until then nothing has been written to what is shared, and giving
 * pg_control its name back undoes it (docs: pg_upgrade, "Reverting").
 */
export const upgradeScript = String.raw`set -euo pipefail
export LC_ALL=C
volume=$(dirname "$PGDATA")
new=$volume/upgrade-$VERDIGRIS_TO
whole=$new.complete
old=$volume/replaced-$VERDIGRIS_FROM
work=/tmp/upgrade
version() { cat "$1/PG_VERSION" 2>/dev/null || true; }
fail() { echo "$*" >&2; exit 1; }

for program in "$PGBINOLD/postgres" "$PGBINOLD/pg_controldata" "$PGBINNEW/postgres" "$PGBINNEW/initdb" "$PGBINNEW/pg_upgrade" "$PGBINNEW/pg_dump"; do
  test -x "$program" || fail "the image has no $program: it must hold both majors and name their folders by PGBINOLD and PGBINNEW"
done
[[ $("$PGBINOLD/postgres" --version) == *" $VERDIGRIS_FROM."* ]] || fail "PGBINOLD of the image is $("$PGBINOLD/postgres" --version), needed is $VERDIGRIS_FROM"
[[ $("$PGBINNEW/postgres" --version) == *" $VERDIGRIS_TO."* ]] || fail "PGBINNEW of the image is $("$PGBINNEW/postgres" --version), needed is $VERDIGRIS_TO"

touch "$volume/upgrade.busy"
sync "$volume/upgrade.busy" "$volume"
rm -rf "$work"; mkdir -p "$work"; cd "$work"
# Nobody comes in but by this socket, in this pod.
echo 'local all all trust' >hba
printf '%s\n' "hba_file = '$work/hba'" "listen_addresses = ''" "unix_socket_directories = '$work'" >own
while IFS='=' read -r name value; do
  case $name in
    ''|ssl|ssl_*|listen_addresses|port|hba_file|unix_socket_directories|cluster_name|max_slot_wal_keep_size) ;;
    *) printf "%s = '%s'\n" "$name" "${'$'}{value//\'/\'\'}" ;;
  esac
done </etc/verdigris/settings >declared
for each in old new; do
  directory=$([ $each = old ] && echo "$PGDATA" || echo "$new")
  printf '%s\n' "include_if_exists '$directory/postgresql.conf'" "include 'declared'" "include 'own'" >$each.conf
done
owner_may() {
  echo "DO \$\$ BEGIN EXECUTE format('ALTER ROLE %I $1', (SELECT rolname FROM pg_authid WHERE oid = 10)); END \$\$"
}
# Alone and without a log-in: it recovers first where the server was not stopped in order, and leaves it stopped in order.
alone() { printf '%s\n' "$4" | "$1/postgres" --single -D "$2" -c "config_file=$3" postgres; }

if [ "$(version "$PGDATA")" != "$VERDIGRIS_TO" ] && [ ! -e "$whole" ]; then
  if [ ! -e "$PGDATA/global/pg_control" ] && [ -e "$PGDATA/global/pg_control.old" ]; then mv "$PGDATA/global/pg_control.old" "$PGDATA/global/pg_control"; fi
  rm -rf "$new"
  [ "$(version "$PGDATA")" = "$VERDIGRIS_FROM" ] || fail "the volume holds PostgreSQL $(version "$PGDATA") in $PGDATA, not $VERDIGRIS_FROM"
  # Whoever made the cluster upgrades it, and may have been fenced.
  alone "$PGBINOLD" "$PGDATA" "$work/old.conf" "$(owner_may LOGIN)" >/dev/null
  owner=$(alone "$PGBINOLD" "$PGDATA" "$work/old.conf" 'SELECT rolname FROM pg_authid WHERE oid = 10' \
    | sed -n 's/^.*1: rolname = "\(.*\)"[^"]*(typeid.*$/\1/p' | head -n 1)
  test -n "$owner" || fail "the first superuser of the old cluster is not known"
  control() { "$PGBINOLD/pg_controldata" -D "$PGDATA" | sed -n "s/^$1: *//p"; }
  sums=--data-checksums
  if [ "$(control 'Data page checksum version')" = 0 ]; then if [ "$VERDIGRIS_TO" -ge 18 ]; then sums=--no-data-checksums; else sums=; fi; fi
  "$PGBINNEW/initdb" -D "$new" -U "$owner" --auth=trust --encoding=UTF8 --locale=C --no-sync \
    --wal-segsize=$(($(control 'Bytes per WAL segment') / 1048576)) $sums >initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
  if ! "$PGBINNEW/pg_upgrade" --link --jobs=2 --socketdir="$work" --username="$owner" \
      --old-bindir="$PGBINOLD" --new-bindir="$PGBINNEW" --old-datadir="$PGDATA" --new-datadir="$new" \
      --old-options="-c config_file=$work/old.conf" --new-options="-c config_file=$work/new.conf" >upgrade.log 2>&1; then
    { tail -n 20 upgrade.log; find "$new/pg_upgrade_output.d" -name '*.txt' -exec tail -n 20 {} +; } >&2 || true
    exit 1
  fi
  # What was set by ALTER SYSTEM and is still known; anything else would keep the server from starting.
  grep -E '^[A-Za-z_.]+ *=' "$PGDATA/postgresql.auto.conf" >auto || true
  while IFS= read -r line; do
    name=$(printf '%s' "$line" | sed 's/ *=.*//')
    if [[ $name == *.* ]] || "$PGBINNEW/postgres" -D "$new" -c "config_file=$work/new.conf" -C "$name" >/dev/null 2>&1; then
      printf '%s\n' "$line" >>"$new/postgresql.auto.conf"
    else echo "$name is unknown to $VERDIGRIS_TO and was left out" >>left; fi
  done <auto
  if [ "$owner" != "$VERDIGRIS_OPERATOR" ]; then
    alone "$PGBINNEW" "$new" "$work/new.conf" "$(owner_may NOLOGIN)" >/dev/null
  fi
  "$PGBINNEW/initdb" -D "$new" --sync-only >/dev/null
  touch "$whole"; sync "$whole" "$volume"
fi
if [ "$(version "$PGDATA")" != "$VERDIGRIS_TO" ]; then
  if [ -e "$PGDATA" ]; then rm -rf "$old"; mv "$PGDATA" "$old"; fi
  mv "$new" "$PGDATA"
  sync "$volume"
fi
rm -rf "$old" "$new" "$whole"
rm -f "$volume/upgrade.busy"
sync "$volume"
cat left 2>/dev/null >/dev/termination-log || true
`;
