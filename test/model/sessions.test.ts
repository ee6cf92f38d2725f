import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const src = path.join(import.meta.dirname, '../../src');
const using = (text: RegExp): string[] =>
  readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && text.test(readFileSync(path.join(src, name), 'utf8')))
    .sort();

test("sessions under the names of the user's database are opened where SQL of the user's runs, and nowhere else", () => {
  expect(using(/\bwithClient\b/)).toEqual([
    'cli/sql-console.ts',
    'delivery/analysis/colours.ts',
    'migrations/owner-session.ts',
    'migrations/rehearsal/run.ts',
    'operations/engine/sessions.ts',
    'operations/proofs/rehearse.ts',
    'platform/fill.ts',
    'platform/kubernetes/lifecycle/mask.ts',
    'postgres/logical-seed/schema.ts',
    'postgres/session.ts',
  ]);
  expect(using(/\bwithTheirs\b/)).toEqual([
    'operations/engine/owner-session.ts',
    'operations/engine/sessions.ts',
    'operations/verbs/kept-facts.ts',
    'operations/verbs/migrate/analyze.ts',
    'operations/verbs/migrate/apply.ts',
    'operations/verbs/seed/upgrade.ts',
    'operations/verbs/verify.ts',
  ]);
});

test("PostgreSQL's driver opens a session in postgres/session.ts, for an address given to the linter and for the workload's own clients alone", () => {
  expect(using(/\bnew pg\.(Client|Pool)\b/)).toEqual([
    'cli/lint-database.ts',
    'postgres/session.ts',
    'workload/main.ts',
    'workload/session.ts',
  ]);
});
