import prettyMs from 'pretty-ms';

/** A moment for people: when it is, and how far from now. */
export function when(at: string, now = Date.now()): string {
  const distance = now - Date.parse(at);
  const span = prettyMs(Math.abs(distance), { compact: true });
  const moment = new Date(at).toISOString();
  return `${moment.slice(0, 10)} ${moment.slice(11, 16)} UTC (${distance < 0 ? `in ${span}` : `${span} ago`})`;
}
