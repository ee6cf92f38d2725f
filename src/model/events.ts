import type { Finding } from './finding.ts';

/** What an operation says while it works. Renderers of the command line draw it; `--json` prints it as it is. */
export type Event =
  | { readonly type: 'operation'; readonly verb: string; readonly phase: string; readonly title: string }
  | {
      readonly type: 'step';
      readonly verb: string;
      readonly step: string;
      readonly title: string;
      readonly status: 'started' | 'done' | 'undone' | 'failed';
      readonly ms?: number;
      readonly detail?: string | undefined;
    }
  | {
      readonly type: 'progress';
      readonly step: string;
      readonly done: number;
      readonly total: number;
      readonly unit: 'bytes' | 'rows' | 'items';
      readonly note?: string | undefined;
    }
  | { readonly type: 'finding'; readonly gate: string; readonly finding: Finding }
  | { readonly type: 'note'; readonly text: string };

export type Emit = (event: Event) => void;
