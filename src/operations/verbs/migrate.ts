import { finding, refusals, refuses } from '../../model/finding.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';
import type { Finding } from '../../model/finding.ts';
import { compareVersions } from '../../migrations/engines/sql/files.ts';
import { label, qualified, readTables } from '../../postgres/catalogue.ts';
import { rows, type Client } from '../../postgres/client.ts';
import { ensureControlSchema } from '../../postgres/control.ts';
import { readSchema } from '../../postgres/fingerprint/index.ts';
import { mapTables, type Mapping } from '../../postgres/mapping.ts';
import { defaultsFollow, handOver, migrationOwner, ownInOthersSchemas } from '../../postgres/owners.ts';
import { ident } from '../../postgres/quote.ts';
import { makeStandIns } from '../../postgres/row-identity.ts';
import { asPublished, publish } from '../../postgres/stream.ts';
import { backfillCandidate } from './backfill.ts';
import { dataPolicy, tryData } from './data-statements.ts';
import { outlivedFindings, placeFinding } from '../gates/backfill-gate.ts';
import { placeOf, readBackfillStates } from '../gates/backfill-state.ts';
import { cross } from '../engine/cross.ts';
import type { Context } from '../engine/context.ts';
import { foldersNow } from '../gates/folders.ts';
import { ledger, requireContracts, shapeFindings } from '../gates/expand-contract.ts';
import { followedFindings, replicationFindings, schemaDigest } from '../gates/schema.ts';
import type { Operation, Step } from '../engine/operation.ts';
import { preflightFindings } from '../gates/preflight.ts';
import { note, release, stream } from '../engine/release-record.ts';
import { engineOf, pendingNames, plannedMappings } from './to-come.ts';
import { toolRows, watchTool } from './tool-rows.ts';

/** What the stream still carries although the candidate lost it, as `schema.table.column`. */
async function sentInVain(live: Client, name: string, forward: Mapping): Promise<string[]> {
  const sent = await rows<{ table: string; column: string }>(
    live,
    `
    SELECT p.schemaname || '.' || p.tablename AS table, unnest(p.attnames) AS column FROM pg_publication_tables p
    WHERE pubname = $1 AND schemaname <> 'verdigris' ORDER BY 1, 2`,
    [name],
  );
  const generated = new Set(
    (await readTables(live)).flatMap((table) =>
      table.columns.filter((column) => column.generated).map((column) => `${label(table)}.${column.name}`),
    ),
  );
  const published = await asPublished(live, forward.published);
  return sent
    .filter(({ table, column }) => {
      const carried = published.find((each) => label(each.table) === table);
      return !carried || (carried.columns !== undefined && !carried.columns.includes(column));
    })
    .map(({ table, column }) => `${table}.${column}`)
    .filter((where) => !generated.has(where));
}

const columns: Step = {
  id: 'columns',
  title: 'publish what both schemas have',
  why: 'a column that the candidate is about to lose must no longer be sent, and what was sent before must have arrived',
  risk: 'none for clients; rows already sent are waited for',
  async run(c) {
    const { forward, unknown } = await plannedMappings(c);
    const { name } = stream(c);
    const lists = forward.published.filter(({ columns: list }) => list !== undefined);
    await c.on(c.idle, async (client) => {
      for (const { from, to } of forward.common) {
        const carried = forward.published.find(({ table }) => label(table) === label(from))?.columns;
        if (!carried) continue;
        // Until the migration drops it, a column that is no longer sent must not be required.
        for (const column of to.columns.filter(
          (found) => found.notNull && !found.hasDefault && !found.generated && !carried.includes(found.name),
        )) {
          await client.query(`ALTER TABLE ${qualified(to)} ALTER COLUMN ${ident(column.name)} DROP NOT NULL`);
        }
      }
    });
    await c.on(c.live, async (from) => {
      await publish(from, name, forward.published);
      await cross(c);
    });
    if (unknown !== undefined) return 'every column; what the migrations drop is found afterwards';
    return lists.length === 0
      ? 'every column'
      : `column lists for ${lists.map(({ table }) => label(table)).join(', ')}`;
  },
};

const apply: Step = {
  id: 'apply',
  title: "apply the release's migrations to the candidate",
  why: 'locks and rewrites happen where no client waits',
  risk: 'replication waits behind locks; a failure leaves the live colour untouched and the candidate resumable',
  async run(c) {
    const engine = await engineOf(c);
    if (!engine) return 'this release has no migrations';
    // Read before the run: what is added meanwhile counts as added after it.
    const { [c.idle]: folder } = await foldersNow(c.environment);
    const connection = { ...(await c.platform.servers.connection(c.idle)), database: c.environment.database };
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
            backfillsBefore: (version) => fill(c, client, 'apply', version).then(() => undefined),
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
        // Whoever lost the lease cannot write it down, and is to be told of that.
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

/** Runs what is to be filled on the candidate and is not yet; of versions below `before`, where it is given. */
async function fill(c: Context, client: Client, step: string, before?: string): Promise<string[]> {
  const { backfills } = await readBackfillStates(c);
  const done: string[] = [];
  for (const { backfill, place, done: complete } of backfills) {
    if (complete || place !== 'candidate' || (before !== undefined && compareVersions(backfill.version, before) >= 0))
      continue;
    const { filled, seen } = await backfillCandidate(c, client, backfill, {
      release: release(c).to,
      again: false,
      step,
    });
    done.push(`${backfill.name}: ${filled} of ${seen} rows`);
  }
  return done;
}

const backfill: Step = {
  id: 'backfill',
  title: 'fill what the release needs filled',
  why: 'on the candidate nobody waits for it, and the next release may read it from its first query on',
  risk: 'apply waits for a batch at most; rows that arrive are filled on their way in',
  async run(c) {
    // Progress is in the candidate: after a kill it goes on behind the last batch.
    await c.on(c.idle, ensureControlSchema);
    const done = await c.keeping([c.live], () => c.withTheirs(c.idle, (client) => fill(c, client, 'backfill')));
    return done.length === 0 ? 'nothing was to be filled' : done.join(', ');
  },
};

const check: Step = {
  id: 'check',
  title: 'check that both schemas still fit together',
  why: 'the catalogue after the migrations is what counts, not what was expected of them',
  risk: 'none',
  async run(c) {
    const live = await c.on(c.live, readTables);
    const candidate = await c.on(c.idle, async (client) => {
      const tables = await readTables(client);
      return (await makeStandIns(live, tables, client)) ? readTables(client) : tables;
    });
    const forward = mapTables(live, candidate, 'forward');
    const refused = refusals([...forward.findings, ...backward(mapTables(candidate, live, 'reverse').findings)]);
    if (refused.length > 0) {
      throw new VerdigrisError('mapping-broken', {
        seen: `After the migrations, replication cannot go on: ${refused.map(({ title }) => title).join('; ')}.`,
        required: 'a schema that the live colour can be replicated to.',
        next: 'abandon the candidate, change the migration, and seed again; the live colour is untouched.',
        facts: { findings: refused },
      });
    }
    const inVain = await c.on(c.live, (from) => sentInVain(from, stream(c).name, forward));
    if (inVain.length > 0) {
      throw new VerdigrisError('column-still-sent', {
        seen:
          `The migrations took away on the candidate what the live colour still sends: ${inVain.join(', ')}. What ` +
          'their engine does was not known beforehand.',
        required:
          'that a column is no longer sent before it is dropped: a row that was written meanwhile stops replication for good.',
        next:
          'abandon the candidate, move the drop to a release after the last one that writes there or to migrations ' +
          'in SQL, whose effect is known beforehand, and seed again. The live colour is untouched.',
        facts: { columns: inVain },
      });
    }
    await requireContracts(c);
    await c.on(c.live, async (from) => {
      await publish(from, stream(c).name, forward.published);
      await cross(c);
    });
    const [lost] = await followedFindings(c);
    if (lost) {
      throw new VerdigrisError('table-not-followed', {
        seen: `The migrations put another table in place of one that is replicated: ${lost.objects.join('; ')}.`,
        required:
          'the table that the subscription knows: what the live colour writes does not reach another one of its name.',
        next: 'abandon the candidate, let the migration change the table in place, and seed again; the live colour is untouched.',
        facts: { tables: lost.objects },
      });
    }
  },
};

const analyze: Step = {
  id: 'analyze',
  title: 'refresh the statistics',
  why: 'plans on the candidate must be as good as on the live colour from its first query on',
  risk: 'none',
  async run(c) {
    // What indexes and extended statistics are over is computed again, by names as the database has them.
    await c.withTheirs(c.idle, (client) => client.query('ANALYZE'));
    await note(c, { schema: { ...release(c).schema, [c.idle]: await schemaDigest(c, c.idle, true) } });
  },
};

/**
 * Of the way back: what `ends-lossless-rollback` does not say, and what would let no UPDATE through on the new live
 * colour.
 */
const beside: ReadonlySet<string> = new Set([
  ...['replica-identity-missing', 'key-column-missing', 'full-identity-with-list'],
  'columns-not-carried',
]);

function backward(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ id }) => beside.has(id));
}

export const migrate: Operation = {
  verb: 'migrate',
  clientsWait: () => 0,
  async validate(c): Promise<Finding[]> {
    const replication = await replicationFindings(c);
    if (refuses(replication)) return replication;
    const findings = [...replication, ...(await preflightFindings(c, 'migrate'))];
    if (refuses(findings)) return findings;
    const { forward, reverse, tables, schema, unknown } = await plannedMappings(c, (text) =>
      c.emit({ type: 'note', text }),
    );
    if (unknown !== undefined) {
      findings.push(
        finding('migration-effect-unknown', {
          objects: [],
          reason:
            `${unknown} The catalogue is compared after the run; where a column is gone that the live colour still ` +
            'sends, the candidate has to be abandoned.',
        }),
      );
    }
    findings.push(
      ...(await shapeFindings(
        c,
        { before: await c.on(c.live, readSchema), after: schema, forward, reverse },
        await pendingNames(c),
      )),
    );
    const { backfills: declared } = await readBackfillStates(c);
    findings.push(...outlivedFindings(declared));
    for (const { backfill, done } of declared) {
      const place = placeOf(backfill, tables, forward);
      // What is complete already, the release may take away, or leave to the live colour.
      const finding =
        done || (unknown !== undefined && place === 'later') ? undefined : placeFinding(backfill, place, 'warn');
      if (finding) findings.push(finding);
    }
    return [...findings, ...forward.findings, ...backward(reverse.findings)];
  },
  start: [columns, apply, backfill, tryData, check, toolRows, ledger, analyze],
  complete: [],
};
