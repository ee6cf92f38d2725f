import { z } from 'zod';

const durations = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const sizes = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;

function quantity<U extends Record<string, number>>(units: U, example: string) {
  const pattern = new RegExp(`^(\\d+(?:\\.\\d+)?)\\s*(${Object.keys(units).join('|')})$`);
  return z.string().transform((text, context) => {
    const match = pattern.exec(text.trim());
    if (match) return Number(match[1]) * (units[match[2] as string] as number);
    context.addIssue({
      code: 'custom',
      message: `"${text}" is not a number with one of the units ${Object.keys(units).join(', ')}, such as "${example}"`,
    });
    return z.NEVER;
  });
}

/** `"10s"`, `"250ms"`, `"24h"`; milliseconds once parsed. */
export const duration = quantity(durations, '10s');

/** `"16MiB"`; bytes once parsed. */
export const size = quantity(sizes, '16MiB');
