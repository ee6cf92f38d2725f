/** `refuse` blocks the step, `warn` is shown and counted, `info` is only shown. */
export type Grade = 'refuse' | 'warn' | 'info';

interface Entry {
  /** The grade; a list, gravest first, where the moment decides: which one is the finding's to say. */
  readonly grade: Grade | readonly Grade[];
  /**
   * What is there, where it needs no number or name. Lower case, no full stop, so that `title: objects` reads as one
   * line.
   */
  readonly title?: string;
  /** The next step, where it is the same for every object. */
  readonly fix?: string;
}

/**
 * Every finding: its id (stable, kebab-case; tests and pipelines match on it), its grade, and what of its words is
 * always the same, so that one id has one grade and one next step. A new finding is one entry here and one section of
 * docs/findings.md, or of docs/errors.md where a gate has it.
 */
export const findingCatalogue = {
  // docs/findings.md
  'check-not-permitted': { grade: ['refuse', 'warn'] },
  'check-timed-out': { grade: ['refuse', 'warn'] },
  'check-failed': { grade: ['refuse', 'warn'] },
  'not-usable': { grade: 'refuse', title: 'what a switchover needs behind its commit point does not work' },
  'guard-cut-off': { grade: 'refuse', title: 'a guard cannot reach or use what it needs to let clients go' },
  'guard-silent': { grade: 'refuse' },
  'credential-old': { grade: 'warn', title: 'passwords are older than credentials.maxAge' },
  'no-guard': {
    grade: 'warn',
    title: 'no guard runs beside the poolers: a hold does not end by itself',
    fix: 'Declare kubernetes.images.verdigris, an image built by the Dockerfile, and deploy it; or have someone ready to run `verdigris recover`.',
  },
  'server-version': {
    grade: 'refuse',
    fix: 'Declare PostgreSQL 15 or later for the candidate; upgrade a live server below 12 by other means first.',
  },
  'candidate-older': { grade: 'refuse' },
  'operator-privileges': { grade: 'refuse' },
  'fence-open': { grade: 'refuse', title: 'the fence cannot keep out these roles' },
  'hba-closed': { grade: 'refuse' },
  'rights-missing': { grade: 'refuse' },
  'no-snapshot-api': { grade: 'refuse' },
  'istio-missing': { grade: 'refuse' },
  'no-storage-class': { grade: 'refuse' },
  'certificate-unfit': { grade: 'refuse' },
  'driver-without-snapshots': { grade: 'refuse' },
  'snapshots-atomic': {
    grade: 'info',
    fix:
      "Nothing, where the driver's snapshots are of one instant, as those of disks in a cloud are; for one " +
      'that copies piece by piece declare kubernetes.snapshots: backup.',
  },
  'snapshots-stay': {
    grade: ['warn', 'info'],
    fix:
      'Declare kubernetes.snapshotClass, one with deletionPolicy Delete; one with Retain is for ' +
      'kubernetes.keptSnapshotClass. Delete VolumeSnapshotContents that are Released by hand, with their copies.',
  },
  'no-snapshot-class': { grade: 'refuse' },
  'quota-short': { grade: 'refuse' },
  'no-node': {
    grade: 'warn',
    fix:
      'Uncordon a node (`kubectl uncordon`), or declare what one has: kubernetes.pods (nodeSelector, tolerations), ' +
      'kubernetes.resources. Where a node is made when a pod waits, do nothing.',
  },
  'cluster-refuses': {
    grade: 'refuse',
    fix:
      'Fix what it names: kubernetes.resources and kubernetes.pods for a LimitRange, a quota that demands limits, or a ' +
      "PriorityClass; the namespace's labels for Pod Security; kubernetes.patches, or whoever made it, for a policy.",
  },
  'resources-imposed': {
    grade: 'warn',
    title: 'the cluster gives containers resources that are not declared',
    fix: 'Declare them (kubernetes.resources, kubernetes.pooler.resources, kubernetes.pods), as large as needed.',
  },
  'pull-secret-missing': {
    grade: 'warn',
    title: 'kubernetes.pods names imagePullSecrets that are not in the namespace',
    fix: 'Make the Secret (`kubectl create secret docker-registry`), or remove its name.',
  },
  'snapshot-class-driver': { grade: 'refuse' },
  'replica-identity-missing': { grade: 'refuse', title: 'tables have no replica identity' },
  'replica-identity-deferrable': {
    grade: 'refuse',
    title: 'tables have a deferrable primary key, which cannot be a replica identity',
  },
  'replica-identity-full-incomparable': {
    grade: 'refuse',
    title: 'tables are identified by the whole row and have columns that cannot be compared',
  },
  'replica-identity-full': { grade: 'warn', title: 'tables are identified by the whole row' },
  'wal-level': { grade: 'refuse' },
  'replication-slots': { grade: 'refuse' },
  'wal-senders': { grade: 'refuse' },
  'logical-workers': { grade: 'refuse' },
  'worker-processes': { grade: 'refuse' },
  'replication-origins': { grade: 'refuse' },
  'slot-wal-unlimited': { grade: ['refuse', 'warn'], title: 'slots may hold back WAL without limit' },
  'slot-wal-above-budget': { grade: 'warn' },
  'slot-idle-timeout': {
    grade: 'warn',
    title: 'slots that nobody reads for a while are invalidated',
    fix: 'ALTER SYSTEM SET idle_replication_slot_timeout = 0;\nSELECT pg_reload_conf();',
  },
  'slot-lost': { grade: 'refuse' },
  'slot-retains': {
    grade: 'warn',
    title: 'the slot holds back more than half of its WAL limit',
    fix: 'Make sure that the candidate runs and applies (verdigris status), or abandon it.',
  },
  'apply-stopped': { grade: 'refuse' },
  'apply-errors': { grade: 'warn', title: 'apply met errors since the candidate was made' },
  'beside-differs': { grade: 'warn', title: 'template1 or postgres hold other objects than on the other colour' },
  'databases-left-out': {
    grade: 'warn',
    title: 'databases of the server are left out',
    fix: 'Nothing, if nobody uses them. Otherwise move them to another server before the switchover.',
  },
  'other-databases': {
    grade: 'refuse',
    title: 'the server has other databases',
    fix: '-- moved to a server of their own, dropped, or named in ignoreDatabases of the declaration, which leaves them out with all that is written there',
  },
  'part-torn': {
    grade: 'refuse',
    title: 'the part that is to move cannot be without what stays, or the other way round',
    fix: '-- declared in part.tables as well; or the foreign key, default, rule or policy is dropped',
  },
  'part-fed': {
    grade: 'refuse',
    title: 'tables that are to move take rows by subscriptions of others',
    fix: '-- the tables are taken out of the publication, and ALTER SUBSCRIPTION … REFRESH PUBLICATION is run here; or the subscription is dropped',
  },
  'part-texts': {
    grade: 'warn',
    title: 'functions name tables of the other side',
    fix: 'Look at each: what writes into a table that goes is refused after the switchover, and what goes along does not find a table that stays.',
  },
  'part-stays': {
    grade: 'info',
    title: 'what reads both sides stays where it is',
    fix: 'Nothing: until `retire` it reads rows that follow the moved ones, afterwards rows that stay as they were.',
  },
  'part-goes': { grade: 'info', title: 'what moves to the other server', fix: 'Nothing.' },
  'large-objects': {
    grade: 'refuse',
    fix:
      '-- once their content is in bytea columns (lo_get(oid)), or is not wanted any more:\n' +
      'SELECT lo_unlink(l.oid) FROM pg_catalog.pg_largeobject_metadata l;',
  },
  'unlogged-tables': { grade: 'refuse', title: 'tables or sequences are unlogged' },
  tablespaces: { grade: 'refuse', title: 'tablespaces lie outside of the data directory' },
  'wal-volume': {
    grade: 'refuse',
    title: 'the write-ahead log lies on another volume than the data',
    fix: 'Use a snapshot class that takes all volumes as one group, or move pg_wal into the data directory while the server is down.',
  },
  'prepared-transactions': { grade: 'refuse', title: 'transactions are prepared and not finished' },
  'two-phase-commit': {
    grade: 'info',
    fix: '-- if nobody uses two-phase commit; takes effect at a restart:\nALTER SYSTEM SET max_prepared_transactions = 0;',
  },
  'long-transactions': { grade: 'refuse' },
  'idle-transaction-unlimited': {
    grade: 'info',
    title: 'a session may stay idle inside a transaction without limit',
    fix: "ALTER SYSTEM SET idle_in_transaction_session_timeout = '60s';\nSELECT pg_reload_conf();",
  },
  'declared-role-missing': { grade: 'refuse', title: 'declared roles do not exist' },
  'role-superuser': { grade: 'refuse', title: 'declared roles are superusers, or may become one' },
  'role-privileged': { grade: 'warn', title: 'declared roles have privileges that reach past the fence' },
  'role-nologin': { grade: 'warn', title: 'declared roles cannot log in' },
  'reader-can-write': { grade: 'refuse', title: 'reader roles can write' },
  'candidate-open': { grade: 'refuse', title: 'application roles can log in to the candidate' },
  'public-create': { grade: 'warn', title: 'every role may make objects' },
  'superuser-functions': { grade: 'warn', title: 'functions of superusers can be replaced by others' },
  'superuser-calls': { grade: 'refuse', title: 'what superusers own calls code that others may replace' },
  'hba-trust': { grade: 'warn', title: 'pg_hba.conf lets in over the network without a password' },
  'superuser-sessions': { grade: 'warn', title: 'superusers are connected' },
  'undeclared-sessions': { grade: 'warn', title: 'roles that are not declared are connected' },
  'read-only-default': { grade: 'warn', title: 'transactions are read-only by default' },
  'role-settings-present': {
    grade: 'info',
    title: 'roles or the database have settings of their own',
    fix: 'Nothing to do, but change none of them until the release is over.',
  },
  'password-md5': { grade: 'info', title: 'declared roles have MD5 passwords' },
  'existing-subscriptions': { grade: 'refuse', title: 'the server receives data by subscriptions' },
  'logical-consumers': { grade: 'warn', title: 'others read changes from logical slots' },
  standbys: { grade: 'warn', title: 'standbys follow the live server' },
  'synchronous-standbys': {
    grade: 'warn',
    title: 'commits wait for synchronous standbys',
    fix:
      '-- on the candidate, if Verdigris does not set it; here too, if no standby is wanted:\n' +
      "ALTER SYSTEM SET synchronous_standby_names = '';\n" +
      'SELECT pg_reload_conf();',
  },
  'existing-publications': { grade: 'info', title: 'the database has other publications' },
  'collation-version': { grade: 'refuse', title: 'collations are of another version than the indexes were built with' },
  'extension-missing': {
    grade: 'refuse',
    title: 'the candidate has no files of extensions that the database uses',
    fix: "Install their packages in the candidate's image, in at least these versions.",
  },
  'extension-older': {
    grade: 'refuse',
    title: 'the candidate has other versions of extensions and does not know those that the database uses',
    fix: "Install the same or a newer version of their packages in the candidate's image.",
  },
  'extension-update': { grade: 'info', title: 'the candidate has newer versions of extensions than the database uses' },
  extensions: {
    grade: 'info',
    title: 'the database uses extensions',
    fix: 'Nothing to do where both colours use one image.',
  },
  'upgrade-types': { grade: 'refuse' },
  'database-encoding': {
    grade: 'warn',
    title: 'the database accepts bytes in any encoding (SQL_ASCII)',
    fix: 'Dump the database, convert it, and restore it into one with UTF8; the release works without that as long as both colours are SQL_ASCII.',
  },
  archiving: {
    grade: 'info',
    title: 'the live server archives its WAL',
    fix:
      "Give each colour its own prefix or folder in archive_command (the colour's name), and take a base " +
      'backup of the new live colour after the switchover.',
  },
  'triggers-as-superuser': {
    grade: 'refuse',
    title: 'triggers would run on the candidate with rights that their owners lack',
  },
  'triggers-on-apply': { grade: 'warn', title: 'triggers fire on replicated changes too' },
  triggers: {
    grade: 'info',
    title: 'triggers fire for clients and not for replicated changes',
    fix: 'Nothing to do, unless a migration adds a trigger that rows written meanwhile should have passed: backfill those in the migration.',
  },
  'unqualified-names': { grade: 'warn', title: 'functions that apply runs name objects without their schema' },
  'row-security-apply': { grade: 'refuse', title: 'row-level security stops apply' },
  'row-security': { grade: 'info', title: 'tables have row-level security', fix: 'Nothing to do.' },
  'generated-columns': { grade: 'info', title: 'tables have generated columns', fix: 'Nothing to do.' },
  'generated-column-mutable': {
    grade: 'warn',
    title: 'generated columns use functions that are not as immutable as they say',
  },
  rules: { grade: 'info', title: 'tables have rules' },
  'login-triggers': { grade: 'refuse', title: 'event triggers run at each login' },
  'event-triggers-write': { grade: 'refuse', title: 'event triggers write rows, and the release has migrations' },
  'event-triggers': { grade: 'info', title: 'event triggers fire on DDL' },
  'background-ddl': { grade: 'warn', title: 'jobs change the schema by themselves' },
  'scheduled-jobs': {
    grade: 'info',
    title: 'jobs run inside the database',
    fix: 'Keep cron.database_name of the candidate off this database, or pg_cron out of its shared_preload_libraries, until it is live.',
  },
  'background-partitions': { grade: 'warn', title: 'pg_partman makes partitions by itself' },
  'background-workers': {
    grade: 'warn',
    title: 'preloaded libraries run workers that act by themselves',
    fix: 'Leave them out of shared_preload_libraries of the candidate until it is live.',
  },
  'preloaded-libraries': {
    grade: 'info',
    title: 'the server loads libraries at its start',
    fix:
      "Nothing to do where both colours use one image; else install them in the candidate's. To load none, at " +
      "the next restart:\n-- ALTER SYSTEM SET shared_preload_libraries = '';",
  },
  'foreign-keys-outside': { grade: 'refuse', title: 'foreign keys point at tables that are not replicated' },
  'constraints-not-validated': { grade: 'info', title: 'constraints are not validated' },
  'foreign-keys': { grade: 'info', fix: 'Nothing to do.' },
  'invalid-indexes': { grade: 'warn', title: 'indexes are invalid' },
  'statistics-missing': { grade: 'warn', title: 'tables were never analyzed' },
  'sequence-near-end': { grade: 'warn', title: 'sequences are close to their end' },
  sequences: { grade: 'info', fix: 'Nothing to do.' },
  'partitioned-tables': { grade: 'info', title: 'tables are partitioned' },
  'inherited-tables': { grade: 'info', title: 'tables inherit from others' },
  'materialized-views': { grade: 'info' },
  'foreign-server-self': { grade: 'warn', title: 'foreign servers point at this very database' },
  'foreign-tables': { grade: 'info', title: 'foreign tables are not replicated' },
  dblink: { grade: 'info', title: 'functions open connections by dblink' },
  'extension-tables': { grade: 'info', title: 'extensions have tables of their own' },
  'session-state': {
    grade: 'info',
    title: 'sessions hold what ends with their connection',
    fix: 'Make sure that these clients reconnect by themselves and then repeat LISTEN and take their locks again.',
  },
  'server-numbers': {
    grade: 'warn',
    title: 'columns hold transaction ids or log positions of the server',
    fix: 'Order and compare by a sequence or a time instead; or let readers catch up, and begin anew after each switchover.',
  },
  // docs/errors.md
  'live-restarted': { grade: 'warn', fix: 'Nothing; the data is compared before the switchover anyway.' },
  'schema-drift': { grade: 'refuse' },
  'table-not-followed': { grade: 'refuse' },
  'cnpg-unfit': { grade: 'refuse' },
  'rows-left-behind': { grade: 'warn' },
  'left-behind': { grade: 'warn', fix: 'Create it on the other colour after the rollback, if it is needed there.' },
  'partition-rewritten': { grade: 'refuse' },
  'columns-rewritten': { grade: 'refuse' },
  'publication-altered': { grade: 'refuse' },
  'server-without-room': { grade: 'refuse', title: 'a server has no room left on its disk' },
  'candidate-written': { grade: 'refuse' },
  'retained-written': { grade: 'refuse' },
  'retained-unproved': { grade: 'warn' },
  'rows-differ': { grade: 'refuse' },
  'candidate-spoiled': {
    grade: 'refuse',
    title: 'what a tool runs at the switchover has begun on the candidate, and writes did not move there',
    fix: 'Run `verdigris abandon`, and release again. The live colour is untouched.',
  },
  'tool-rest-untried': {
    grade: 'refuse',
    title: 'what the tool leaves to the switchover has not been tried as it is',
    fix: 'Run `verdigris verify`: it runs it on a throw-away clone.',
  },
  'proof-void': { grade: 'warn', fix: 'Run `verdigris verify` again.' },
  'tests-failed': { grade: 'refuse' },
  'tests-missing': { grade: 'refuse' },
  'tests-outdated': { grade: 'refuse' },
  'migrations-changed': {
    grade: 'refuse',
    title: 'the folder of migrations has changed since the candidate was migrated',
    fix:
      'Run `verdigris release` or `pulumi up`: both abandon the candidate and make a new one with what the ' +
      'folder has now. Or restore the folder as it was.',
  },
  'backfill-target': { grade: 'refuse', fix: 'Fix the file, or add the migration that creates the columns.' },
  'backfill-live': { grade: ['refuse', 'warn'] },
  'backfill-mixed': { grade: 'refuse', fix: 'Make two files of it.' },
  'backfill-unfinished': { grade: ['refuse', 'warn'] },
  'backfill-orphaned': { grade: ['refuse', 'warn'] },
  'backfill-outlived': { grade: 'warn' },
  'backfill-drifted': { grade: ['refuse', 'warn'] },
  'backfill-drift-unknown': { grade: 'warn' },
  'migration-effect-unknown': {
    grade: 'warn',
    title: 'what the migrations do to columns cannot be known beforehand',
    fix: 'Nothing, if no column is dropped. Otherwise drop it in a migration in SQL.',
  },
  'contract-too-early': { grade: 'refuse' },
  'ends-lossless-rollback': {
    grade: ['refuse', 'warn'],
    title: 'the first row that only the new schema takes ends the lossless rollback',
    fix:
      'Widen in one release and use it in the next, whose retained colour has the wider type too. ' +
      '`rollback: required` in the declaration refuses such a release; without it, what comes after such a ' +
      'row can only be rolled back with `verdigris rollback --lossy`.',
  },
  'no-candidate-declared': { grade: 'refuse' },
  'same-release': { grade: 'refuse' },
  'major-differs': { grade: 'refuse' },
  'no-readers': {
    grade: 'refuse',
    title: 'no reader roles are declared',
    fix: 'Declare roles.readers: roles that can read and not write; or switch without a canary.',
  },
  'no-canary': { grade: 'refuse', title: 'canary is 0', fix: 'Declare canary: 10, or pass --weight 10.' },
  'server-down': { grade: 'refuse' },
  'slot-missing': { grade: 'refuse' },
  lag: { grade: 'refuse' },
  'timeline-changed': { grade: 'refuse' },
  'subscription-missing': { grade: 'refuse' },
  'verified-partly': { grade: 'warn', fix: 'Run `verdigris verify` without budget and sample.' },
  retained: { grade: 'refuse', fix: 'Wait, pass --early, or, under Pulumi, declare a shorter retention.retained.' },
  'retained-in-use': { grade: 'refuse', fix: "Move them to the environment's address, then retire." },
  'retained-behind': {
    grade: ['refuse', 'warn'],
    fix: 'Wait until it has caught up, or give up the rollback with --early.',
  },
  'retained-rests': { grade: 'info', fix: 'Nothing.' },
  'canary-needs-istio': {
    grade: 'refuse',
    title: 'kubernetes.istio is off',
    fix: 'Declare kubernetes.istio: true where the poolers have sidecars, or switch without a canary.',
  },
  'canary-outside-mesh': { grade: 'warn', title: 'the poolers have no sidecar' },
  'table-renamed': { grade: 'refuse' },
  'table-dropped': { grade: 'warn' },
  'column-renamed': { grade: 'refuse' },
  'key-column-missing': { grade: 'refuse' },
  'columns-not-carried': { grade: 'warn' },
  'column-now-generated': { grade: 'warn' },
  'migration-will-fail': { grade: 'refuse', title: 'statements of the migrations will fail on the candidate' },
  'required-column-added': { grade: 'refuse' },
  'stricter-not-null': { grade: 'warn' },
  'table-remade': { grade: 'refuse' },
  'identity-changed': { grade: 'refuse' },
  'column-remade': { grade: 'warn' },
  'generation-removed': { grade: 'refuse' },
  'type-changed': { grade: 'refuse' },
  'type-narrowed': { grade: 'warn' },
  'full-identity-with-list': { grade: 'refuse' },
  'index-invalid': { grade: ['refuse', 'warn'] },
  'constraint-not-validated': { grade: 'warn' },
  'foreign-key-broken': {
    grade: ['refuse', 'warn'],
    fix: 'Abandon the candidate and seed again, or find out who wrote to it.',
  },
  'foreign-key-unchecked': { grade: 'warn', fix: 'Verify again with a larger budget.' },
  'sequence-behind': { grade: ['refuse', 'info'] },
  'sequence-missing': { grade: 'warn', fix: 'Drop a sequence in a release after the last one that uses it.' },
  'sequence-unmatched': { grade: ['refuse', 'warn'] },
  'sequence-turned': { grade: 'warn', fix: 'Set the position by hand after the switchover.' },
  'role-missing': { grade: 'refuse' },
  'role-extra': { grade: 'warn' },
  'role-attributes': { grade: 'refuse' },
  'role-password': { grade: 'refuse' },
  'role-settings': { grade: 'refuse' },
  'membership-missing': { grade: 'refuse' },
  'membership-extra': { grade: 'warn' },
  'database-attributes': { grade: 'warn' },
  'database-grants': { grade: 'refuse' },
  'server-settings': { grade: 'warn' },
  'server-resources': { grade: 'info' },
  'tablespace-missing': { grade: 'warn' },
  'tablespace-attributes': { grade: 'warn' },
  'contract-release-unknown': { grade: 'refuse' },
  'contract-note-idle': {
    grade: 'warn',
    title: 'notes name objects that these migrations do not change',
    fix: 'Write the object as the finding contract-too-early prints it, or remove the note.',
  },
  'rehearsal-blocked': {
    grade: ['refuse', 'warn', 'info'],
    fix: 'Split the transaction, or use the form of the statement that takes a weaker lock: `verdigris lint` names it.',
  },
  'rehearsal-waited': {
    grade: 'warn',
    fix: 'Keep lock_timeout short (limits.migrationLock), so that it gives up and retries.',
  },
  'rehearsal-lock-held': {
    grade: 'warn',
    fix: 'Let the candidate take it, as a release does; on a live database split the transaction.',
  },
  'rehearsal-rewrite': {
    grade: 'warn',
    fix: 'Make sure that the volume has room; if the table must serve meanwhile, add a column and fill it in batches.',
  },
  'rehearsal-lag': { grade: 'info', fix: 'Migrate well before the switchover.' },
  'rehearsal-statement-broken': { grade: 'warn', fix: 'Expand first, contract in a later release.' },
  'rehearsal-plan-worse': {
    grade: 'warn',
    fix: 'Look for the index that is gone or the predicate that no longer fits one.',
  },
  'rehearsal-load-errors': { grade: 'warn', fix: 'Keep what N uses until no release that uses it can be live.' },
  'rehearsal-smoke': { grade: 'refuse', fix: 'Read the end of its output in the report.' },
  'rehearsal-not-in-use': { grade: 'warn' },
  'rehearsal-plans-skipped': { grade: 'info', fix: 'Install pg_stat_statements in the live database.' },
  'rehearsal-nothing-pending': {
    grade: 'info',
    title: 'no migration was pending',
    fix: "Declare the candidate's folder of migrations.",
  },
  // ?
} as const satisfies Readonly<Record<string, Entry>>;

export type FindingId = keyof typeof findingCatalogue;

/** The gravest grade that a finding of this id can have. */
export function gravest(id: FindingId): Grade {
  const { grade }: Entry = findingCatalogue[id];
  return typeof grade === 'string' ? grade : (grade[0] ?? 'refuse');
}
