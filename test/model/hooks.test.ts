import { expect, test } from 'vitest';
import { hooksSchema } from '../../src/model/hooks.ts';
import { verbs } from '../../src/model/transitions.ts';
import { operationOf } from '../../src/operations/table.ts';

const http = { url: 'https://ci.example/hook' };

function faults(hook: unknown): string[] {
  return hooksSchema.safeParse({ ci: hook }).error?.issues.map(({ message }) => message) ?? [];
}

test('a hook has one deed and a moment, and only one that comes before something may block', () => {
  expect(faults({ before: ['switch'], blocking: true, http })).toEqual([]);
  for (const [hook, fault] of [
    [{ before: ['switch'] }, 'this has none'],
    [{ before: ['switch'], http, command: ['true'] }, 'this has http and command'],
    [{ http }, 'is never called'],
    [{ after: ['switch'], blocking: true, http }, 'only what comes before'],
    [{ before: ['swich'], http }, 'begins with a verb'],
    [{ before: ['switch'], http: {} }, 'has url or urlEnv'],
    [{ before: ['switch'], http: { url: 'file:///etc/passwd' } }, 'Invalid URL'],
  ] as const)
    expect(faults(hook).join(), JSON.stringify(hook)).toContain(fault);
});

test("nothing of anybody else's runs from the last look at replication to the release of the clients, blocking or not", () => {
  for (const verb of verbs) {
    const { start, complete } = operationOf(verb);
    const waiting = [...start, ...complete].filter(({ held }) => held).map(({ id }) => id);
    for (const step of waiting)
      for (const when of ['before', 'after'] as const) {
        if (when === 'after' && step === 'resume') continue;
        expect(faults({ [when]: [`${verb}/${step}`], http }).join(), `${when} ${step}`).toContain('clients are held');
      }
  }
  expect(faults({ after: ['switch/settle'], http }).join()).toContain('clients are held');
  expect(faults({ before: ['switch/settle'], after: ['switch/resume'], http })).toEqual([]);
});
