import { colors } from './colors.ts';
import type { DeliveryRecord, MetricVerdict } from '../model/delivery-record.ts';
import { when } from '../model/when.ts';

const paint: Readonly<Record<MetricVerdict, (text: string) => string>> = {
  success: colors.green,
  failure: colors.red,
  inconclusive: colors.yellow,
};

/** Where the release is, what it waits for, and what was measured. */
export function deliveryLines(record: DeliveryRecord | undefined): string[] {
  if (!record) return [];
  const { step, waits, stopped, taken, ended, digest, to } = record;
  return [
    ...(ended
      ? [
          `delivery     release ${to} was ${ended.outcome} at ${when(ended.at)}${ended.why === undefined ? '' : `: ${colors.red(ended.why)}`}`,
        ]
      : [
          `delivery     release ${to}, digest ${digest}: step ${step.index + 1}, "${step.text}", since ${when(step.since)}`,
        ]),
    ...(!ended && taken
      ? [
          colors.yellow(
            `             held: ${taken.by} took over at ${when(taken.at)} by ` +
              `\`${taken.what}\`${taken.reason === undefined ? '' : ` (${taken.reason})`}. \`verdigris resume\` continues it`,
          ),
        ]
      : []),
    ...(!ended && stopped
      ? [colors.red(`             "${stopped.step}" failed at ${when(stopped.at)}: ${stopped.why}`)]
      : []),
    ...(!ended && !taken && !stopped && waits !== undefined ? [`             ${waits}`] : []),
    ...verdictLines(record),
  ];
}

export function verdictLines({ verdicts, approvals }: DeliveryRecord): string[] {
  return [
    ...approvals.map(
      ({ at, by, reason }) => `approved     ${when(at)} by ${by}${reason === undefined ? '' : `: ${reason}`}`,
    ),
    ...verdicts.flatMap(({ step, at, verdict, metrics }) => [
      `${step.padEnd(12)} ${when(at)} ${paint[verdict](verdict)}`,
      ...Object.entries(metrics).map(
        ([name, { success, failure, inconclusive, seen }]) =>
          `             ${name}: ${success} good, ${failure} failed, ${inconclusive} inconclusive; ${seen}`,
      ),
    ]),
  ];
}
