import { findingLine } from '../../model/finding.ts';
import { count } from '../../model/count.ts';
import { refusals } from '../../model/finding.ts';
import { wrongState } from '../../model/failures.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { pathOf, type Verb } from '../../model/transitions.ts';
import type { Finding } from '../../model/finding.ts';
import { howToRun } from '../../model/how-to-run.ts';
import { indented } from '../../model/indented.ts';
import type { Context } from './context.ts';
import type { Operation } from './operation.ts';

/** Throws `wrong-state` where the verb has no edge from the state that is. */
export function requireState(c: Context, operation: Operation): void {
  const { state } = c.journal;
  const { from } = pathOf(operation);
  if (c.journal.release?.rebuilt && operation.verb !== 'abandon')
    throw new VerdigrisError('release-rebuilt', {
      seen: `The journal of ${c.environment.name} was rebuilt from the servers; what the release with ${c.idle} had proved was lost with the old one.`,
      required: 'a release with a complete record.',
      next: `run \`verdigris abandon\`: it removes ${c.idle} and leaves ${c.live} as it is; then a new release can begin.`,
    });
  if (c.journal.release?.drill && !c.drills && operation.verb !== 'abandon')
    throw new VerdigrisError('drill-under-way', {
      seen: `${c.idle} of ${c.environment.name} is the candidate of a drill: nobody was asked for it, and no hook told of it.`,
      required: 'a candidate of a release.',
      next: 'wait for the end of the drill, which takes it away; where none runs any more, `verdigris abandon` does.',
    });
  if (from.includes(state)) return;
  throw wrongState(c.environment.name, state, operation.verb, from);
}

/** Runs the gates, says every finding, and throws where one refuses. */
export async function passGates(c: Context, operation: Operation): Promise<Finding[]> {
  const findings = await operation.validate(c);
  // An info is said once, where a release begins.
  for (const finding of findings)
    if (finding.grade !== 'info' || operation.verb === 'seed')
      c.emit({ type: 'finding', gate: operation.verb, finding });
  requireNone(operation.verb, findings);
  return findings;
}

/** Throws `gate-refused` where one of the findings refuses. */
export function requireNone(verb: Verb, findings: readonly Finding[]): void {
  const refused = refusals(findings);
  if (refused.length === 0) return;
  throw gateRefused(
    `${verb} is blocked by ${count(refused.length, 'finding')}:`,
    refused.map((each) => `${each.id}: ${findingLine(each, Infinity)}`),
    refused,
    howToRun(refused, verb),
  );
}

/** `lines`: the findings as a person reads them; `more`: what is said behind their fixes. */
export function gateRefused(
  seen: string,
  lines: readonly string[],
  findings: readonly Finding[],
  more: readonly string[] = [],
): VerdigrisError {
  return new VerdigrisError('gate-refused', {
    seen: `${seen}\n${indented(lines)}`,
    required: 'no blocking findings.',
    next: [...findings.map(({ fix }) => fix), ...more].join(' '),
    facts: { findings },
  });
}
