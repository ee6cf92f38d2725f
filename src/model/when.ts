import prettyMs from 'pretty-ms';

/** A moment for people, in a text that is kept: how far from now it is would be wrong when it is read. */
export function moment(at: string): string {
  const text = new Date(at).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}

/** A moment for people: when it is, and how far from now. */
export function when(at: string, now = Date.now()): string {
  const distance = now - Date.parse(at);
  const span = prettyMs(Math.abs(distance), { compact: true });
  return `${moment(at)} (${distance < 0 ? `in ${span}` : `${span} ago`})`;
}
