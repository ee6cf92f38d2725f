import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { root } from '../../docs/sources.ts';
import { temporaryFolder } from '../../support/postgres.ts';

const example = (name: string): string => path.join(root, 'examples/hooks', name);

const event = (verb: string, liveRelease: string, more: object = {}): string =>
  JSON.stringify({
    subject: 'release 1 to 2',
    data: { environment: 'shop', verb, moment: 'after', live: 'green', liveRelease, ...more },
  });

test('a release is tagged in Git with its commit, and the tag of what is live goes there and back', async () => {
  const folder = await temporaryFolder();
  const author = { GIT_AUTHOR_NAME: 't', GIT_AUTHOR_EMAIL: 't@t', GIT_COMMITTER_NAME: 't', GIT_COMMITTER_EMAIL: 't@t' };
  const git = async (...args: string[]): Promise<string> =>
    (await execa('git', args, { cwd: path.join(folder, 'work'), env: author })).stdout;
  try {
    await execa('git', ['init', '--quiet', '--bare', path.join(folder, 'remote')]);
    await execa('git', ['init', '--quiet', path.join(folder, 'work')]);
    const hook = (verb: string, release: string) =>
      execa(process.execPath, [example('git-tag.js'), path.join(folder, 'remote')], {
        cwd: path.join(folder, 'work'),
        input: event(verb, release),
      });
    const remote = async (tag: string): Promise<string> =>
      (await execa('git', ['--git-dir', path.join(folder, 'remote'), 'rev-parse', tag])).stdout;
    const commits: string[] = [];
    for (const release of ['1', '2']) {
      await git('commit', '--quiet', '--allow-empty', '-m', release);
      commits.push(await git('rev-parse', 'HEAD'));
      await hook('switch', release);
    }
    // Delivered again it is the same.
    await hook('switch', '2');
    expect(await remote('shop/live')).toBe(commits[1]);
    await hook('rollback', '1');
    expect(await remote('shop/live')).toBe(commits[0]);
    expect([await remote('shop/1'), await remote('shop/2')]).toEqual(commits);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a commit bears the state of its release; a server that is away is no answer, a refusal is one', async () => {
  const seen: unknown[] = [];
  let status = 201;
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      seen.push({ token: request.headers.authorization, ...(JSON.parse(body) as object) });
      response.writeHead(status).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/repos/o/n/statuses/abc`;
  const run = async (input: string): Promise<number | undefined> =>
    (
      await execa(process.execPath, [example('commit-status.js')], {
        input,
        env: { STATUS_URL: url, STATUS_TOKEN: 'secret' },
        reject: false,
      })
    ).exitCode;
  try {
    expect(await run(event('switch', '2'))).toBe(0);
    expect(await run(event('switch', '1', { moment: 'failed', error: { seen: 'A gate refuses.' } }))).toBe(0);
    expect(seen).toEqual([
      {
        token: 'Bearer secret',
        context: 'database/shop/switch',
        state: 'success',
        description: 'release 1 to 2: green is live with release 2',
      },
      { token: 'Bearer secret', context: 'database/shop/switch', state: 'failure', description: 'A gate refuses.' },
    ]);
    status = 503;
    expect(await run(event('switch', '2'))).toBe(75);
    status = 401;
    expect(await run(event('switch', '2'))).toBe(1);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
