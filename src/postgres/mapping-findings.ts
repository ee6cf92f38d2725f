import { finding, type Finding, type WordlessId } from '../model/finding.ts';
import { label, type Table } from './catalogue.ts';

export type MappingDirection = 'forward' | 'reverse';

/** What is found while two catalogues are mapped, in the words of the direction. */
export class MappingFindings {
  readonly findings: Finding[] = [];
  readonly direction: MappingDirection;
  /** What a row that cannot be carried costs. */
  readonly cost: string;

  constructor(direction: MappingDirection) {
    this.direction = direction;
    this.cost =
      direction === 'forward' ? 'replication to the candidate would stop' : 'a lossless rollback would be lost';
  }

  readonly refuse = (id: WordlessId, title: string, objects: readonly string[], fix: string): void => {
    const reason = `Rows of the current software cannot be carried: ${this.cost}.`;
    this.findings.push(finding(id, { title, objects, reason, fix }));
  };

  readonly warn = (id: WordlessId, title: string, objects: readonly string[], reason: string, fix: string): void => {
    this.findings.push(finding(id, { title, objects, reason, fix }));
  };
}

/** Of columns that one side alone has. */
export function columnsNotCarried(
  table: Pick<Table, 'schema' | 'name'>,
  lost: readonly string[],
  direction: MappingDirection,
): Finding {
  return finding('columns-not-carried', {
    title: `${label(table)}: ${lost.join(', ')} ${lost.length === 1 ? 'is' : 'are'} not on the other side`,
    objects: lost.map((name) => `${label(table)}.${name}`),
    ...(direction === 'forward'
      ? {
          reason: 'What the current software writes there is not carried.',
          fix: 'Nothing, where that is meant.',
        }
      : {
          reason:
            'After a rollback the columns that only this release has are gone. What was written in them since the switchover ' +
            'is exported, exactly, as soon as clients continue.',
          fix: 'Nothing. Where a release has these columns again, `verdigris import-lost` with the file that `rollback` names.',
        }),
  });
}
