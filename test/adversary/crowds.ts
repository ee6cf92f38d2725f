import type { Act } from './acts/act.ts';

/** Acts that are tried together at most: they share what the switchover's limit allows. */
const most = 24;

/** Texts any of which names the act. */
const names = ({ named }: Act): string[] =>
  named.source.split('|').map((name) => name.replaceAll('\\b', '').replaceAll('\\.', '.'));

/** Whether what names one may be there for another's sake. */
export const alike = (one: Act, another: Act): boolean =>
  names(one).some((name) => names(another).some((its) => name.includes(its) || its.includes(name)));

/** What has to be taken back is expected to be refused: it shall not be named by what is there for another's sake. */
const apart = (one: Act, another: Act): boolean =>
  one.alone === true ||
  another.alone === true ||
  ((one.undo !== undefined || another.undo !== undefined) && alike(one, another));

/** Acts in crowds that are tried in one release each. */
export function crowds(acts: readonly Act[]): Act[][] {
  const made: Act[][] = [];
  for (const act of acts) {
    const place = made.find((crowd) => crowd.length < most && !crowd.some((other) => apart(act, other)));
    if (place) place.push(act);
    else made.push([act]);
  }
  return made;
}
