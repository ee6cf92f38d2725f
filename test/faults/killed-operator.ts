/**
 * An operator in a process of its own that kills itself with SIGKILL at a given write of the journal: no handler runs,
 * no connection is closed by us, nothing is undone. Says `warm` when loaded, takes its orders from one line of standard
 * input, says its events.
 */
import { readFile } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { createInterface } from 'node:readline';
import { parseEnvironment } from '../../src/model/environment.ts';
import { VerdigrisError } from '../../src/model/errors.ts';
import { parseJournal } from '../../src/model/journal-text.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import type { Environment } from '../../src/model/environment.ts';
import type { JournalStore } from '../../src/platform/port/journal.ts';
import type { Platform } from '../../src/platform/port/platform.ts';
import type { Order, Place, Said } from './orders.ts';

const say = (message: Said): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
// Now: whoever is killed writes nothing at his end.
flushCompileCache();
say({ type: 'warm' });

const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => {
  void work(JSON.parse(line) as Order)
    .then(
      () => say({ type: 'done' }),
      (error: unknown) =>
        say({
          type: 'failed',
          error:
            error instanceof VerdigrisError
              ? { code: error.code, id: error.id, seen: error.seen }
              : { code: 'none', id: 'none', seen: String((error as Error).stack ?? error) },
        }),
    )
    .finally(() => process.exit(0));
});
// Nobody's order outlives whoever gave it.
lines.once('close', () => process.exit(0));

async function work({
  declaration,
  place,
  verb,
  options,
  canary,
  kill,
  dieAfter,
  dieBefore,
  dieTelling,
  stopAt,
}: Order): Promise<void> {
  const environment = { ...parseEnvironment(JSON.parse(await readFile(declaration, 'utf8')), declaration), canary };
  const opened = await open(environment, place);
  const journal = kill ? killing(opened.journal, kill) : opened.journal;
  const platform = withJournal(dieTelling ? dying(opened, dieTelling) : opened, journal);
  await withOperator(
    {
      environment,
      platform,
      signal: new AbortController().signal,
      emit: (event) => {
        say({ type: 'event', event });
        if (event.type === 'step' && event.step === dieAfter && event.status === 'done') die();
        if (event.type === 'step' && event.step === dieBefore && event.status === 'started') die();
        if (stopAt && event.type === 'step' && event.step === stopAt.step && event.status === stopAt.status)
          process.kill(process.pid, 'SIGSTOP');
      },
    },
    verb,
    (c) => perform(c, verb, options),
  );
}

/** The platform as it is, but for its journal. */
function withJournal(opened: Platform, journal: JournalStore): Platform {
  return new Proxy(opened, {
    get(target, key) {
      if (key === 'journal') return journal;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** The same, whose clients' path is told of hidden code as the last thing of this process. */
function dying(platform: Platform, side: NonNullable<Order['dieTelling']>): Platform {
  const { traffic } = platform;
  const tell = traffic.unseen?.bind(traffic);
  traffic.unseen = async (...what) => {
    if (side === 'after') await tell?.(...what);
    die();
  };
  return platform;
}

/** Only the platform that is asked for is loaded: these processes are many. */
async function open(environment: Environment, place: Place): Promise<Platform> {
  if (place.kind === 'local') {
    const { LocalPlatform } = await import('../../src/platform/local/platform.ts');
    return LocalPlatform.open(environment, place.home, place.settings);
  }
  const { KubeConfig } = await import('@kubernetes/client-node');
  const { Cluster } = await import('../../src/platform/kubernetes/cluster.ts');
  const { KubernetesPlatform } = await import('../../src/platform/kubernetes/platform.ts');
  const config = new KubeConfig();
  config.loadFromString(place.kubeconfig);
  return new KubernetesPlatform(environment, Cluster.of(config, environment.kubernetes.namespace));
}

/** Counts the writes from the one that opens the operation, or continues it, on. */
function killing(store: JournalStore, { side, write, from }: NonNullable<Order['kill']>): JournalStore {
  let counted = from === 'first' ? 0 : -1;
  return {
    read: () => store.read(),
    async write(expected, text) {
      const { operation } = parseJournal(text, 'about to be written');
      if (counted < 0 && operation?.phase === 'start' && operation.steps.length === 0) counted = 0;
      if (counted >= 0) counted++;
      if (counted === write && side === 'before') die();
      const revision = await store.write(expected, text);
      if (counted === write && side === 'after') die();
      return revision;
    },
  };
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('SIGKILL comes before this line');
}
