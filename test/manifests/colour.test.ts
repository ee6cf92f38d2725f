import { execFile, type PromiseWithChild } from 'node:child_process';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import {
  colourBudget,
  colourConfig,
  colourServer,
  colourService,
  type ColourLife,
} from '../../src/manifests/colour.ts';
import { startScript } from '../../src/manifests/settings.ts';
import { volumeClaim, volumeSnapshot } from '../../src/manifests/storage.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { declared } from '../pulumi/components/support.ts';

const blue = { colour: 'blue', major: 15, claim: 'shop-blue-1', path: 'pgdata' } as const;
const life: ColourLife = { colour: 'green', generation: 3, major: 17, release: '2 beta', parked: false };
type Template = {
  spec: {
    template: { metadata: { annotations: Record<string, string> }; spec: PodSpec };
    selector: { matchLabels: Record<string, string> };
    volumeClaimTemplates?: unknown;
  };
};
interface PodSpec {
  securityContext: unknown;
  automountServiceAccountToken: boolean;
  volumes: { name: string; emptyDir?: unknown; persistentVolumeClaim?: { claimName: string } }[];
  containers: {
    image: string;
    env: { name: string; value?: string }[];
    securityContext: unknown;
    resources: { requests: unknown; limits: unknown };
    volumeMounts: { mountPath: string }[];
    readinessProbe: unknown;
    livenessProbe: unknown;
    startupProbe: unknown;
  }[];
}
const server = (more: Partial<ColourLife> = {}, kubernetes = {}) =>
  colourServer(declared(kubernetes), { ...life, ...more }) as unknown as Template;

test('a colour is a StatefulSet whose volume is named in the pod, by generation, so that no template has to be replaced', () => {
  const { spec } = server();
  expect(spec.volumeClaimTemplates).toBeUndefined();
  expect(spec.template.spec.volumes.find(({ name }) => name === 'data')?.persistentVolumeClaim).toEqual({
    claimName: 'shop-green-3',
  });
  expect(spec.selector.matchLabels).toEqual({
    'app.kubernetes.io/instance': 'shop',
    'app.kubernetes.io/component': 'database',
    'app.kubernetes.io/managed-by': 'verdigris',
    'verdigris.dev/colour': 'green',
  });
  expect(colourService(declared(), 'green')).toMatchObject({
    spec: { clusterIP: 'None', publishNotReadyAddresses: true, selector: spec.selector.matchLabels },
  });
  expect(colourBudget(declared(), 'green')).toMatchObject({
    spec: { maxUnavailable: 0, selector: { matchLabels: spec.selector.matchLabels } },
  });
});

test('it meets the restricted pod security standard, with a root file system that cannot be written', () => {
  const pod = server().spec.template.spec;
  expect(pod).toMatchObject({
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 999, fsGroup: 999, seccompProfile: { type: 'RuntimeDefault' } },
  });
  const [container] = pod.containers;
  expect(container).toMatchObject({
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    readinessProbe: {},
    livenessProbe: {},
    startupProbe: {},
  });
  expect(container?.resources).toEqual({ requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1024Mi' } });
  expect(container?.volumeMounts.map(({ mountPath }) => mountPath)).toEqual([
    '/var/lib/postgresql/data',
    '/etc/verdigris',
    '/var/run/postgresql',
    '/tmp',
    '/dev/shm',
  ]);
});

test('a change of its settings changes the pod of that colour, and of that colour only', () => {
  const digest = (colour: 'blue' | 'green', settings: Record<string, string>) =>
    server({ colour }, { settings }).spec.template.metadata.annotations['verdigris.dev/configuration'];
  expect(digest('green', { work_mem: '8MB' })).not.toBe(digest('green', {}));
  expect(digest('green', {})).toBe(digest('green', {}));
  const config = (colour: 'blue' | 'green') =>
    colourConfig(declared({ settings: { work_mem: '8MB' } }), { ...life, colour })['stringData'] as Record<
      string,
      string
    >;
  expect(config('green')['settings']).toContain('cluster_name=shop-green\n');
  expect(config('blue')['settings']).toContain('cluster_name=shop-blue\n');
  expect(config('green')['settings']).toContain('work_mem=8MB\n');
});

test('what a switchover rests on cannot be declared away', () => {
  const { settings } = colourConfig(
    declared({ settings: { wal_level: 'replica', archive_mode: 'on', max_connections: '50' } }),
    life,
  )['stringData'] as { settings: string };
  expect(
    settings
      .split('\n')
      .filter((line) => /^(wal_level|archive_mode|max_connections)=/.test(line))
      .sort(),
  ).toEqual(['archive_mode=off', 'max_connections=50', 'wal_level=logical']);
});

test('images are the declared ones by major, else the official', () => {
  expect(server().spec.template.spec.containers[0]?.image).toBe('postgres:17');
  expect(
    server({}, { images: { pooler: 'p:1', postgres: { 17: 'mine:17.2' } } }).spec.template.spec.containers[0]?.image,
  ).toBe('mine:17.2');
});

test('volume and snapshot bear the generation, and the classes that are declared', () => {
  expect(
    volumeClaim(declared({ storageClass: 'fast' }), {
      colour: 'green',
      generation: 3,
      storage: '2Gi',
      snapshot: 'shop-seed-3',
    }),
  ).toMatchObject({
    metadata: { name: 'shop-green-3', namespace: 'shops' },
    spec: {
      storageClassName: 'fast',
      resources: { requests: { storage: '2Gi' } },
      dataSource: { kind: 'VolumeSnapshot', name: 'shop-seed-3' },
    },
  });
  expect(volumeSnapshot(declared({ snapshotClass: 'keep' }), blue, 'seed-3')).toMatchObject({
    metadata: { name: 'shop-seed-3', labels: { 'verdigris.dev/snapshot': 'seed-3' } },
    spec: { volumeSnapshotClassName: 'keep', source: { persistentVolumeClaimName: 'shop-blue-1' } },
  });
  expect(volumeClaim(declared(), { colour: 'blue', generation: 1, storage: 5 })['spec']).not.toHaveProperty(
    'storageClassName',
  );
});

/** The script as the container runs it, with another entry point and other folders. */
function run(folder: string, parked: string, more: Record<string, string> = {}): PromiseWithChild<{ stdout: string }> {
  const script = startScript.replaceAll('/etc/verdigris', `${folder}/etc`);
  return promisify(execFile)('bash', ['-c', script], {
    env: {
      PATH: `${folder}/bin:${process.env['PATH'] ?? ''}`,
      PGDATA: `${folder}/volume/pgdata`,
      VERDIGRIS_PARKED: parked,
      ...more,
    },
  });
}

async function start(...args: Parameters<typeof run>): Promise<string> {
  return (await run(...args)).stdout;
}

async function program(file: string, text: string): Promise<void> {
  await writeFile(file, `#!/bin/sh\n${text}\n`);
  await chmod(file, 0o755);
}

/** A volume with the head of a data directory, and an entry point that says what it was called with. */
async function restored(folder: string): Promise<void> {
  for (const each of ['etc', 'bin', 'volume/pgdata']) await mkdir(path.join(folder, each), { recursive: true });
  const { settings, parked } = colourConfig(declared({ settings: { application_name: 'a b' } }), life)[
    'stringData'
  ] as Record<string, string>;
  await writeFile(path.join(folder, 'etc/settings'), settings ?? '');
  await writeFile(path.join(folder, 'etc/parked'), parked ?? '');
  await writeFile(path.join(folder, 'volume/pgdata/PG_VERSION'), '17');
  await program(path.join(folder, 'bin/docker-entrypoint.sh'), 'printf "%s\\n" "$@"');
}

test('a restored volume is parked at its first boot only: a promoted server that restarts stays promoted', async () => {
  const folder = await temporaryFolder();
  await restored(folder);
  const signal = path.join(folder, 'volume/pgdata/standby.signal');
  const closed = path.join(folder, 'volume/verdigris_closed');
  try {
    const first = (await start(folder, '3')).trim().split('\n');
    expect(first.slice(0, 3)).toEqual(['postgres', '-c', 'max_connections=200']);
    expect(first).toContain('application_name=a b');
    expect(first.slice(-5)).toEqual([
      'max_logical_replication_workers=0',
      '-c',
      'primary_conninfo=',
      '-c',
      'restore_command=',
    ]);
    expect(await readFile(signal, 'utf8')).toBe('');
    expect(await readFile(closed, 'utf8')).toBe('all\n');
    await rm(signal); // what promotion does
    await writeFile(closed, 'verdigris_nobody\n'); // what opening does
    await start(folder, '3');
    await expect(readFile(signal)).rejects.toThrow('ENOENT');
    expect(await readFile(closed, 'utf8')).toBe('verdigris_nobody\n');
    // The next life of this volume, as a snapshot of it, is parked again.
    await start(folder, '4');
    expect(await readFile(signal, 'utf8')).toBe('');
    expect(await readFile(closed, 'utf8')).toBe('all\n');
    // A machine that lost power may leave it empty: then it would be no rule.
    await writeFile(closed, '');
    await start(folder, '4');
    expect(await readFile(closed, 'utf8')).toBe('verdigris_nobody\n');
    expect(await start(folder, '')).not.toContain('max_logical_replication_workers=0');
    await rm(path.join(folder, 'volume/pgdata/PG_VERSION'));
    await expect(start(folder, '5')).rejects.toThrow('holds no database');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a server does not start on a volume where a process of another container still runs', async () => {
  const folder = await temporaryFolder();
  const said = path.join(folder, 'said');
  const until = async (file: string, text: string): Promise<void> =>
    vi.waitFor(async () => expect(await readFile(file, 'utf8')).toContain(text), 20_000);
  try {
    await restored(folder);
    await program(
      path.join(folder, 'bin/docker-entrypoint.sh'),
      `echo begin >>'${said}'; read -r _; echo end >>'${said}'`,
    );
    const first = run(folder, '');
    await until(said, 'begin');
    const second = run(folder, '');
    second.child.stdin?.end('\n');
    await until('/proc/locks', '-> FLOCK');
    first.child.stdin?.end('\n');
    await Promise.all([first, second]);
    expect(await readFile(said, 'utf8')).toBe('begin\nend\nbegin\nend\n');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a copy of another environment is closed by a server that does not take the original's lock for its own shell's, once", async () => {
  const folder = await temporaryFolder();
  const lock = path.join(folder, 'volume/pgdata/postmaster.pid');
  const ran = path.join(folder, 'volume/ran');
  const once = { VERDIGRIS_PROVISIONED: 'uid', POSTGRES_USER: 'operator', POSTGRES_PASSWORD: "it's" };
  try {
    await restored(folder);
    // As PostgreSQL does: a lock of a process that lives and is neither itself nor its parent is another server's.
    await program(
      path.join(folder, 'bin/postgres'),
      `[ ! -e '${lock}' ] || { echo 'lock file "postmaster.pid" already exists' >&2; exit 1; }; cat >>'${ran}'; echo 'admitted = "operator"'`,
    );
    await writeFile(lock, '1\n');
    expect(await start(folder, '', once)).toContain('max_logical_replication_workers=0');
    const sql = await readFile(ran, 'utf8');
    expect(sql).toContain(`ALTER ROLE "operator" SUPERUSER LOGIN PASSWORD 'it''s'`);
    await start(folder, '', once);
    expect(await readFile(ran, 'utf8')).toBe(sql);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
