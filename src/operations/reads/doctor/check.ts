/** One thing that was looked at. */
export interface DoctorCheck {
  /** Stable, kebab-case. */
  readonly id: string;
  /** `bad` stops something; `warn` will, or makes it slow. */
  readonly grade: 'good' | 'warn' | 'bad';
  readonly seen: string;
  /** What a person does; of those that are not good. */
  readonly fix?: string;
}
