import { z } from 'zod';

/** What fetch can ask: a URL of another kind would fail in the middle of a release. */
export const httpUrl = z.url({ protocol: /^https?$/ });
