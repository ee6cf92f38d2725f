import { expect, test } from 'vitest';
import { withEnvironment } from '../support/environment.ts';
import { expectListed, expectNoneBecame, expectNoSuperuser, logOf, role, settings } from './traps-seen.ts';
import { layTraps, sprung } from './traps.ts';

test('a role with CREATE on everything has none of its code run as a superuser by any verb of a release', async () => {
  await withEnvironment({ settings }, async (environment) => {
    const { verb, on } = environment;
    const { functions, operators } = await on('blue', (client) => layTraps(client, role));
    expect(functions).toBeGreaterThan(1000);
    expect(operators).toBeGreaterThan(1000);
    // Laying them springs some, as the role itself.
    const begin = (await logOf(environment, 'blue')).length;
    for (const each of ['seed', 'migrate', 'verify', 'switch', 'rollback', 'verify'] as const) await verb(each);
    const told = (await logOf(environment, 'blue')).slice(begin) + (await logOf(environment, 'green'));
    expectNoSuperuser(told);
    await expectListed(told);
    expect(told).toMatch(/^verdigris_reader \S+: LOG: .*\n?.*prey/m);
    await expectNoneBecame(environment, ['blue', 'green']);
    // The trap does tell of a superuser who steps into it.
    await on('blue', (client) =>
      client.query(`SELECT public.trap('control'), unnest(ARRAY['a'::text]), format('%s', 'a'::text), 'a'::text ~* 'b',
        '{}'::jsonb ->> 'a', ARRAY['a'::text] <@ ARRAY['b'::text], (SELECT array_agg(id) FROM public.defined), current_database(),
        (SELECT count(*) FROM pg_database), (SELECT record_out(d) FROM pg_database d LIMIT 1), (SELECT to_jsonb(p) FROM pg_proc p LIMIT 1)`),
    );
    const stepped = [...(await logOf(environment, 'blue')).matchAll(sprung)].filter(
      ([, , , , superuser]) => superuser === 't',
    );
    const kinds = ['control', 'function.unnest', 'function.format', 'aggregate.array_agg', 'function.current_database'];
    const rows = ['aggregate.count', 'function.record_out', 'function.to_jsonb'];
    expect(stepped.map(([, name]) => name)).toEqual(
      expect.arrayContaining([...kinds, ...rows, 'operator ~*', 'operator ->>', 'operator <@']),
    );
  });
});
