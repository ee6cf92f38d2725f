import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as pulumi from '@pulumi/pulumi';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { parseEnvironment } from '../../src/model/environment.ts';
import { withClient } from '../../src/postgres/session.ts';
import { addToPath, buildLimit, sopsBin } from '../migrations/tools/tools.ts';
import { withCli } from '../support/cli.ts';
import { testMajor } from '../support/postgres.ts';

const examples = fileURLToPath(new URL('../../examples/sops', import.meta.url));
const first = { shop_app: 'first of the app', shop_reader: 'first of the reader' };
let folder = '';

/** With the age key of this test, in the folder of the example. */
async function sops(...args: string[]): Promise<string> {
  return (await execa('sops', args, { cwd: folder })).stdout;
}

beforeAll(async () => {
  addToPath(await sopsBin());
  folder = await mkdtemp(path.join(tmpdir(), 'verdigris-sops-'));
  await cp(examples, folder, { recursive: true });
  const key = path.join(folder, 'key.txt');
  await execa('age-keygen', ['-o', key]);
  process.env['SOPS_AGE_KEY_FILE'] = key;
  process.env['SOPS_AGE_RECIPIENTS'] = (await execa('age-keygen', ['-y', key])).stdout;
  await writeFile(path.join(folder, 'passwords.yaml'), stringify(first));
  await sops('encrypt', '-i', 'passwords.yaml');
}, buildLimit);

afterAll(() => rm(folder, { recursive: true, force: true }));

test('the command line takes passwords from what sops decrypts, and says what it cannot have', async () => {
  const committed = await readFile(path.join(folder, 'passwords.yaml'), 'utf8');
  for (const password of Object.values(first)) expect(committed).not.toContain(password);
  await withCli(async ({ run, declare, folder: project }) => {
    const declaration = parse(await readFile(path.join(folder, 'verdigris.yaml'), 'utf8')) as Record<string, unknown>;
    await declare({ ...declaration, colours: { blue: { release: '1', postgres: testMajor } } });
    const kept = path.join(project, 'passwords.yaml');
    await cp(path.join(folder, 'passwords.yaml'), kept);
    const { result } = await run('create', '--json');
    const [host = '', port = ''] = String(result?.['address']).split(':');
    const letsIn = (password: string): Promise<boolean> =>
      withClient(
        { host, port: Number(port), user: 'shop_app', password, database: 'shop' },
        'test',
        async () => true,
      ).catch(() => false);
    expect(await letsIn(first.shop_app)).toBe(true);

    await execa('sops', ['set', kept, '["shop_app"]', '"second of the app"']);
    expect((await run('rotate', 'shop_app', '--at-once')).exitCode).toBe(0);
    expect(await letsIn('second of the app')).toBe(true);
    expect(await letsIn(first.shop_app)).toBe(false);

    const key = process.env['SOPS_AGE_KEY_FILE'] ?? '';
    process.env['SOPS_AGE_KEY_FILE'] = '/dev/null';
    const refused = await run('rotate', 'shop_app', '--json');
    process.env['SOPS_AGE_KEY_FILE'] = key;
    expect(refused.error).toMatchObject({ id: 'secret-missing', seen: expect.stringContaining('sops decrypt') });
  });
});

test('a Pulumi program makes the Secret that the declaration names of what sops decrypts, a secret in the state too', async () => {
  const made: pulumi.runtime.MockResourceArgs[] = [];
  await pulumi.runtime.setMocks({
    newResource: (args) => {
      made.push(args);
      return { id: args.name, state: { ...args.inputs, address: 'a:5432' } };
    },
    call: () => ({}),
  });
  await cp(path.join(folder, 'passwords.yaml'), path.join(examples, 'passwords.yaml'));
  try {
    const { address } = (await import(pathToFileURL(path.join(examples, 'index.js')).href)) as {
      address: pulumi.Output<string>;
    };
    expect(await new Promise((resolve) => address.apply(resolve))).toBe('a:5432');
  } finally {
    await rm(path.join(examples, 'passwords.yaml'));
  }
  const secret = made.find(({ type }) => type === 'kubernetes:core/v1:Secret');
  expect(unwrapped(secret?.inputs['stringData'])).toEqual(first);
  expect(JSON.stringify(made.filter((each) => each !== secret))).not.toContain(first.shop_app);
  expect(await named()).toEqual(Object.keys(first).map((key) => ['shop-passwords', key]));
});

test('what Argo CD applies is the Secret that the declaration names, encrypted where it is committed', async () => {
  await sops('encrypt', '-i', '--encrypted-regex', '^(data|stringData)$', 'shop-passwords.yaml');
  await sops('set', 'shop-passwords.yaml', '["stringData"]["shop_app"]', '"of Argo CD"');
  expect(await readFile(path.join(folder, 'shop-passwords.yaml'), 'utf8')).not.toContain('of Argo CD');
  const generator = parse(await readFile(path.join(folder, 'secret-generator.yaml'), 'utf8')) as { files: string[] };
  // As KSOPS does with each file that the generator names.
  const [manifest] = parseAllDocuments(await sops('decrypt', ...generator.files)).map(
    (each) => each.toJS() as Manifest,
  );
  expect(manifest).toMatchObject({ kind: 'Secret', stringData: { shop_app: 'of Argo CD' } });
  for (const [secret, key] of await named()) {
    expect(secret).toBe(manifest?.metadata.name);
    expect(manifest?.stringData).toHaveProperty(key ?? '');
  }
});

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly stringData: Readonly<Record<string, string>>;
}

/** Secret and key of each role, as shop.yaml names them. */
async function named(): Promise<string[][]> {
  const declared: unknown = parse(await readFile(path.join(folder, 'shop.yaml'), 'utf8'));
  const { kubernetes } = parseEnvironment(declared, 'the example');
  return Object.values(kubernetes.passwords).map(({ secret, key }) => [secret, key]);
}

/** Out of the envelope by which Pulumi marks a secret. */
function unwrapped(value: unknown): unknown {
  const envelope = value as { readonly '4dabf18193072939515e22adb298388d'?: string; readonly value?: unknown };
  return envelope['4dabf18193072939515e22adb298388d'] === undefined ? undefined : envelope.value;
}
