import { expectTypeOf, test } from 'vitest';
import type { Environment } from '../../src/model/environment.ts';
import type { AnyPlatform } from '../../src/platform/open.ts';
import type { Platform, Servers, Traffic } from '../../src/platform/port.ts';

test('every platform that a declaration can name is one that can be opened, and the other way round', () => {
  expectTypeOf<AnyPlatform['kind']>().toEqualTypeOf<Environment['platform']>();
  expectTypeOf<Platform['kind']>().toEqualTypeOf<Environment['platform']>();
});

test('servers and traffic are ports of their own: neither asks for the other', () => {
  expectTypeOf<Platform['servers']>().toEqualTypeOf<Servers>();
  expectTypeOf<Platform['traffic']>().toEqualTypeOf<Traffic>();
  expectTypeOf<keyof Servers & keyof Traffic>().toEqualTypeOf<never>();
});
