import { describe } from '../../../model/errors.ts';
import { ensureControlSchema } from '../../../postgres/control.ts';
import { defaultsFollow, handOver, migrationOwner, ownInOthersSchemas } from '../../../postgres/owners.ts';
import type { Step } from '../../engine/operation.ts';
import { note, release } from '../../engine/release-record.ts';
import { foldersNow } from '../../gates/folders.ts';
import { dataPolicy } from '../data-statements/policy.ts';
import { engineOf } from '../to-come.ts';
import { watchTool } from '../tool-rows.ts';
import { fill } from './fill.ts';
import { connectionIn } from '../../../platform/connection-in.ts';

export const apply: Step = {
  id: 'apply',
  title: "apply the release's migrations to the candidate",
  why: 'locks and rewrites happen where no client waits',
  risk: 'replication waits behind locks; a failure leaves the live colour untouched and the candidate resumable',
  async run(c) {
    const engine = await engineOf(c);
    if (!engine) return 'this release has no migrations';
    // Read before the run: what is added meanwhile counts as added after it.
    const { [c.idle]: folder } = await foldersNow(c.environment);
    const connection = await connectionIn(c.platform.servers, c.idle, c.environment.database);
    const { limits } = c.environment;
    const owner = await c.on(c.idle, async (client) => {
      await ensureControlSchema(client);
      return migrationOwner(client, c.environment.roles.owner);
    });
    if (owner !== undefined) await c.on(c.idle, (client) => defaultsFollow(client, owner));
    const log = await c.platform.exportFile(
      `migrate-${release(c).to.replaceAll(/[^\w.-]/g, '_')}-${new Date().toISOString().replaceAll(':', '')}.log`,
    );
    const at = new Date().toISOString();
    const report = (facts: { readonly applied: string[]; readonly error?: string }): Promise<void> =>
      note(c, {
        migrations: [
          ...(release(c).migrations ?? []),
          { at, engine: engine.name, outcome: facts.error === undefined ? 'done' : 'failed', ...facts, log },
        ],
      });
    // Another engine's tool runs whole files.
    const data = engine.data ? await dataPolicy(c) : undefined;
    if (!data) await watchTool(c);
    const done = await c
      .keeping([c.live], () =>
        c.withTheirs(c.idle, (client) =>
          engine.apply({
            client,
            connection,
            owner,
            connect: (login, inside) => c.connect(login, inside),
            backfillsBefore: (version, session) =>
              fill(c, { client: session, operator: client, owner }, 'apply', version).then(() => undefined),
            release: release(c).to,
            lockTimeout: limits.migrationLock,
            statementTimeout: limits.migrationStatement,
            signal: c.signal,
            log,
            data,
            onProgress: (count, total, text) =>
              c.emit({ type: 'progress', step: 'apply', done: count, total, unit: 'items', note: text }),
          }),
        ),
      )
      .catch(async (error: unknown) => {
        // Whoever lost the lease cannot write it down, and must learn of that.
        await report({ applied: [], error: describe(error) }).catch(() => undefined);
        throw error;
      });
    const before = await c.on(c.live, ownInOthersSchemas);
    const handed = await c.on(c.idle, (client) => handOver(client, before));
    if (handed.length > 0) c.emit({ type: 'note', text: `belong to the owner of their schema: ${handed.join(', ')}` });
    await report({ applied: done.map(({ version, name }) => `${version} ${name}`) });
    await note(c, { folder });
    return done.length === 0 ? 'nothing was pending' : done.map(({ version, name }) => `${version} ${name}`).join(', ');
  },
};
