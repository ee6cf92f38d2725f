import prettyBytes from 'pretty-bytes';
import { finding, type Finding } from '../../model/finding.ts';
import type { Context } from '../engine/context.ts';

/** Bytes: two segments of write-ahead log, below which a server stops at its next one. */
const needed = 32 * 1024 ** 2;

/** A server without room stops in the middle of a step, or its stream does, and says so in its log alone. */
export async function diskFindings(c: Context): Promise<Finding[]> {
  const disks = (await c.platform.space?.().catch(() => undefined)) ?? [];
  const full = disks.filter(({ place, free }) => place !== 'journal' && free < needed);
  if (full.length === 0) return [];
  return [
    finding('server-without-room', {
      objects: full.map(({ place, free }) => `${place}: ${prettyBytes(free)} free`),
      reason: 'Its write-ahead log, or a change that it applies, finds no space, and the server or its stream ends.',
      fix: `Free space on the disk of ${full.map(({ place }) => place).join(' and ')}, then \`verdigris start\` and the same command again.`,
    }),
  ];
}
