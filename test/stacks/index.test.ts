import * as pulumi from '@pulumi/pulumi';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

await pulumi.runtime.setMocks({
  newResource: ({ name, inputs }) => ({ id: name, state: { ...(inputs as object), state: 'verified' } }),
  call: () => ({}),
});

/**
 * Pulumi's Node.js host runs the file that Pulumi.yaml names; here it runs under mocks, since the host can't be had
 * everywhere.
 */
test('the program that Pulumi.yaml names exports the environments of the stack', async () => {
  const root = new URL('../../', import.meta.url);
  const { main, plugins } = parse(await readFile(new URL('Pulumi.yaml', root), 'utf8')) as {
    main: string;
    plugins: { providers: { name: string; path: string }[] };
  };
  const [provider] = plugins.providers;
  expect(
    await readFile(new URL(`${provider?.path ?? ''}/pulumi-resource-${provider?.name ?? ''}`, root), 'utf8'),
  ).toContain('#!/usr/bin/env node');
  pulumi.runtime.setAllConfig({ 'verdigris:environments': JSON.stringify({ shop: './examples/stacks/shop.yaml' }) });
  const { environments } = (await import(new URL(main, root).href)) as {
    environments: Record<string, pulumi.Output<unknown>>;
  };
  expect(await new Promise((resolve) => environments['shop']?.apply(resolve))).toMatchObject({
    state: 'verified',
    live: 'blue',
  });
});

test('a Node.js that does not run TypeScript is told which one to put first, and not by a stack trace of its loader', async () => {
  const { stderr, exitCode } = await execa(
    process.execPath,
    ['--no-experimental-strip-types', fileURLToPath(new URL('../../stacks/main.js', import.meta.url))],
    { reject: false },
  );
  expect(exitCode).not.toBe(0);
  expect(stderr).toMatch(/Required: Node\.js 22\.18 or newer, first on PATH\. Next: PATH=/);
});
