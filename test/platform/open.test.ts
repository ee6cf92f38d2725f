import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, expectTypeOf, test } from 'vitest';
import type { Environment } from '../../src/model/environment.ts';
import type { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import type { LocalPlatform } from '../../src/platform/local/platform.ts';
import type { AnyPlatform } from '../../src/platform/open.ts';
import type { DrillStore } from '../../src/platform/port/drills.ts';
import type { HistoryStore } from '../../src/platform/port/history.ts';
import type { JournalStore } from '../../src/platform/port/journal.ts';
import type { LeaseStore } from '../../src/platform/port/leases.ts';
import type { Lifecycle } from '../../src/platform/port/lifecycle.ts';
import type { Platform } from '../../src/platform/port/platform.ts';
import type { Servers } from '../../src/platform/port/servers.ts';
import type { Traffic } from '../../src/platform/port/traffic.ts';

/** Members that may not be left out. */
type Required<T> = { [K in keyof T]-?: object extends Pick<T, K> ? never : K }[keyof T];

/** Those without which something would still pass for the whole. */
type Dispensable<T> = { [K in Required<T>]: Omit<T, K> extends T ? K : never }[Required<T>];

test('every platform that a declaration can name is one that can be opened, and the other way round', () => {
  expectTypeOf<AnyPlatform['kind']>().toEqualTypeOf<Environment['platform']>();
  expectTypeOf<Platform['kind']>().toEqualTypeOf<Environment['platform']>();
});

test('a platform is put together from ports, and each of the platforms has them all', () => {
  type Parts = Pick<
    Platform,
    | 'servers'
    | 'traffic'
    | 'journal'
    | 'leases'
    | 'history'
    | 'drills'
    | 'credentials'
    | 'lifecycle'
    | 'remains'
    | 'exportFile'
  >;
  expectTypeOf<Exclude<Required<Platform>, 'kind' | 'environment'>>().toEqualTypeOf<keyof Parts>();
  expectTypeOf<LocalPlatform>().toExtend<Platform>();
  expectTypeOf<KubernetesPlatform>().toExtend<Platform>();
  expectTypeOf<Dispensable<Platform>>().toEqualTypeOf<never>();
});

test('servers and traffic are ports of their own: neither asks for the other', () => {
  expectTypeOf<Platform['servers']>().toEqualTypeOf<Servers>();
  expectTypeOf<Platform['traffic']>().toEqualTypeOf<Traffic>();
  expectTypeOf<keyof Servers & keyof Traffic>().toEqualTypeOf<never>();
});

test('no port does without what is asked of it', () => {
  expectTypeOf<Exclude<Required<Traffic>, 'status'>>().toEqualTypeOf<
    'hold' | 'renew' | 'route' | 'probe' | 'resume' | 'refresh'
  >();
  expectTypeOf<Required<JournalStore>>().toEqualTypeOf<'read' | 'write'>();
  expectTypeOf<Required<LeaseStore>>().toEqualTypeOf<'acquire' | 'holder'>();
  expectTypeOf<Required<HistoryStore>>().toEqualTypeOf<'append' | 'list'>();
  expectTypeOf<Required<DrillStore>>().toEqualTypeOf<'record' | 'list'>();
  expectTypeOf<Required<Lifecycle<Platform>>>().toEqualTypeOf<'create' | 'clone' | 'destroy'>();
  expectTypeOf<Dispensable<Servers>>().toEqualTypeOf<never>();
});

test('every member of a port says what it obliges to', () => {
  const folder = 'src/platform/port';
  const ports = readdirSync(folder);
  expect(ports.length).toBeGreaterThan(6);
  const silent = ports.flatMap((file) => {
    const [, first = ''] =
      /^export interface \w+ \{\n(.*?)^\}/ms.exec(readFileSync(path.join(folder, file), 'utf8')) ?? [];
    const lines = first.split('\n');
    return lines.filter((line, at) => /^ {2}(readonly )?\w+[?(:<]/.test(line) && !lines[at - 1]?.endsWith('*/'));
  });
  expect(silent).toEqual([]);
});
