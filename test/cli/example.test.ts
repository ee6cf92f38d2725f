import { expect, test } from 'vitest';
import { withCli } from '../support/cli.ts';
import { document } from '../docs/sources.ts';

test('verdigris.local.example.yaml as it is: made, and its release is proved', async () => {
  await withCli(async ({ run, declare, migrations }) => {
    await declare(document('examples/stacks/verdigris.local.example.yaml'));
    await migrations('migrations', { '0001_note.sql': 'CREATE TABLE note (id int PRIMARY KEY);\n' });
    expect(await run('create')).toMatchObject({ exitCode: 0 });
    const released = await run('release');
    expect(released.exitCode, released.stdout + released.stderr).toBe(0);
    expect(await run('status', '--json')).toMatchObject({ result: { state: 'verified', live: 'blue' } });
  });
});
