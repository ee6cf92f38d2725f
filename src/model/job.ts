import { z } from 'zod';

/** What a Job of the cluster runs, in the environment's namespace. */
export const jobSchema = z.strictObject({
  image: z.string().min(1),
  command: z.array(z.string().min(1)).min(1),
  /** Whose rights its pod has; without one it has none, and no token. */
  serviceAccount: z.string().min(1).optional(),
  /** A Secret of the namespace whose keys are its environment. */
  envFrom: z.string().min(1).optional(),
});

export type JobDeclaration = z.output<typeof jobSchema>;

/** EX_TEMPFAIL of sysexits.h, of a command or a Job: another time may do. */
export const temporaryExit = 75;

/** How a Job ended: by its exit code; without one it gave none in its time, or never began. */
export interface JobEnd {
  readonly exitCode: number | undefined;
  /** Its last words, or why it never began. */
  readonly said: string;
}
