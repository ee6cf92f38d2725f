import { z } from 'zod';

const durations = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const sizes = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;

/** Parsed by a pattern, so that the JSON schema of a declaration has it too. */
function quantity<U extends Record<string, number>>(units: U, example: string) {
  const names = Object.keys(units);
  const pattern = new RegExp(`^\\s*(\\d+(?:\\.\\d+)?)\\s*(${names.join('|')})\\s*$`);
  return z
    .string()
    .regex(pattern, {
      error: ({ input }) =>
        `"${String(input)}" is not a number with one of the units ${names.join(', ')}, such as "${example}"`,
    })
    .transform((text) => {
      const [, amount, unit = ''] = pattern.exec(text) ?? [];
      return Number(amount) * (units[unit] ?? Number.NaN);
    });
}

/** `"10s"`, `"250ms"`, `"24h"`; milliseconds once parsed. */
export const duration = quantity(durations, '10s');

/** `"16MiB"`; bytes once parsed. */
export const size = quantity(sizes, '16MiB');
