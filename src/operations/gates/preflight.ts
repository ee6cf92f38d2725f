import { when } from '../../model/when.ts';
import type { Colour } from '../../model/colours.ts';
import { credentialAges } from '../../model/credential-record.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { judgeBeforeSeed } from '../../migrations/engines/declared.ts';
import { operatorRole } from '../../model/names.ts';
import { qualified, readTables } from '../../postgres/catalogue.ts';
import { withLooker } from '../../postgres/readers.ts';
import { unclosable } from '../../postgres/fence.ts';
import { maintenance } from '../../postgres/maintenance.ts';
import { strayTables } from '../../postgres/preflight/databases.ts';
import { checks, releaseNeeds, type Gate, type PreflightFacts } from '../../postgres/preflight/index.ts';
import { checkLimits } from '../../postgres/preflight/limits.ts';
import { runChecks } from '../../postgres/preflight/run.ts';
import type { Context } from '../engine/context.ts';
import { partOf, tablesAt } from '../engine/part.ts';
import { copiedDatabases } from './beside.ts';
import { foreseenFindings } from './foreseen.ts';
import { partFindings } from './part.ts';
import { usableFindings } from './usable.ts';
import { connectionIn } from '../../platform/connection-in.ts';

/** What the checks of a gate find on the live colour, and on the candidate where there is one. */
export async function preflightFindings(c: Context, gate: Gate): Promise<Finding[]> {
  // The folder is judged in the first second: a seed can take hours.
  if (gate === 'seed') await c.look(c.live, (client) => judgeBeforeSeed(client, c.environment.colours[c.idle]));
  const candidate = gate !== 'seed' && (await c.platform.servers.observe(c.idle))?.running === true;
  const oneSided = candidate && c.journal.state === 'switched' ? await tablesOfOneSide(c) : [];
  const found = [
    ...(await check(c, c.live, gate, oneSided, await copiedDatabases(c))),
    ...((await c.platform.findings?.(gate === 'seed')) ?? []),
    ...(gate === 'seed' ? ageFindings(c) : []),
    ...(gate === 'seed' ? await foreseenFindings(c) : []),
    ...(await partFindings(c)),
    ...(await strayFindings(c)),
    ...(c.looking ? [] : await fenceFindings(c)),
    ...(gate === 'migrate' ? [] : await usableFindings(c, { carried: false, wayBack: true })),
  ];
  return candidate ? [...found, ...(await check(c, c.idle, gate, oneSided))] : found;
}

function ageFindings({ environment, journal }: Context): Finding[] {
  const old = credentialAges(environment, journal.credentials).filter((each) => each.old);
  if (old.length === 0) return [];
  const roles = old.map(({ role }) => role);
  return [
    finding('credential-old', {
      objects: old.map(
        ({ role, since }) => `${role} (${since === undefined ? 'its age is not known' : `since ${when(since)}`})`,
      ),
      reason: 'Anyone who has seen one since can log in.',
      fix:
        `Run \`verdigris rotate ${roles.join(' ')}\`, now or after \`retire\`; or declare another ` +
        'credentials.rotation.',
    }),
  ];
}

/**
 * Software that was pointed at the wrong database writes where nothing follows. One that the operator may not enter is
 * its provider's.
 */
export async function strayFindings(c: Context): Promise<Finding[]> {
  const { database, ignoreDatabases } = c.environment;
  if (partOf(c) || database === maintenance || ignoreDatabases.includes(maintenance)) return [];
  const at = await connectionIn(c.platform.servers, c.live, maintenance);
  const tables = await withLooker(at, 'preflight', strayTables).catch(() => []);
  if (tables.length === 0) return [];
  return [
    finding('other-databases', {
      objects: tables.map((table) => `${maintenance}: table ${table}`),
      reason:
        'They are copied once, with the volume, and not replicated: what clients write there is lost at the switchover.',
    }),
  ];
}

/** Whom the fence will not keep out is said before anything begins. */
async function fenceFindings(c: Context): Promise<Finding[]> {
  const open = (await c.on(c.live, unclosable)).filter(({ role }) => !c.environment.fence.accept.includes(role));
  if (open.length === 0) return [];
  return [
    finding('fence-open', {
      objects: open.map(({ role, why }) => `${role} (${why})`),
      reason: 'What they write on the old live colour behind the fence is lost.',
      fix:
        'Ask their owner to close them; or declare fence: { accept: ' +
        `[${open.map(({ role }) => role).join(', ')}] } if they are known to write nothing here.`,
    }),
  ];
}

/** A table that only one side has is not replicated, and never stops a rollback. */
async function tablesOfOneSide(c: Context): Promise<string[]> {
  const [here, there] = await Promise.all(
    [c.live, c.idle].map((colour) => c.on(colour, async (client) => (await readTables(client)).map(qualified))),
  );
  const both = new Set(here?.filter((table) => there?.includes(table)));
  return [...(here ?? []), ...(there ?? [])].filter((table) => !both.has(table));
}

/** Checks of a whole server or database: where only some tables move, the rest of it goes on as it is. */
const ofAllOfIt: ReadonlySet<string> = new Set([
  'other-databases',
  'large-objects',
  'tablespaces',
  'prepared-transactions',
  'idle-transactions',
  'candidate-open',
  'public-create',
  'superuser-functions',
  'superuser-calls',
  'hba-trust',
  'sessions',
  'read-only-default',
  'role-settings',
  'existing-subscriptions',
  'publications',
  'function-names',
  'event-triggers',
  'scheduled-jobs',
  'partman',
  'workers',
  'archiving',
  'extension-tables',
  'session-state',
]);

/** Each database has streams of its own. */
function needsOf(databases: number): typeof releaseNeeds {
  const { slots, senders, logicalWorkers, origins } = releaseNeeds;
  return {
    slots: slots * databases,
    senders: senders * databases,
    logicalWorkers: logicalWorkers * databases,
    origins: origins * databases,
  };
}

async function check(
  c: Context,
  colour: Colour,
  gate: Gate,
  oneSided: readonly string[],
  copied: readonly string[] = [],
): Promise<Finding[]> {
  const { limits, roles, colours, name, ignoreDatabases } = c.environment;
  const { walOnOtherVolume } = await c.platform.servers.facts(colour);
  const facts: PreflightFacts = {
    environment: name,
    side: colour === c.live ? 'live' : 'candidate',
    gate,
    operator: operatorRole,
    roles,
    ignoreDatabases,
    copiedDatabases: copied,
    databases: c.whole.each.map(({ environment }) => environment.database),
    limits: checkLimits(limits),
    byRows: gate === 'seed' && c.platform.servers.seeding(c.live, c.idle) === 'logical',
    migrates: colours[c.idle]?.migrations !== undefined,
    candidateMajor: colours[c.idle]?.postgres ?? colours[c.live]?.postgres ?? 17,
    runAsOwner: false,
    needs: needsOf(c.whole.each.length),
    walOnOtherVolume,
    oneSided,
  };
  const wanted = tablesAt(c, colour) === undefined ? checks : checks.filter(({ id }) => !ofAllOfIt.has(id));
  const found = await c.look(colour, (client) => runChecks(client, facts, wanted, (use) => c.on(colour, use)));
  return colour === c.live ? found : found.map((each) => onColour(each, colour));
}

/** What is found on the candidate and could be on either server says where: its statements are for that one alone. */
function onColour(found: Finding, colour: Colour): Finding {
  const fix = found.fix.endsWith(';') ? `-- \`verdigris psql ${colour}\`:\n${found.fix}` : found.fix;
  return { ...found, title: `on ${colour}: ${found.title}`, fix };
}
