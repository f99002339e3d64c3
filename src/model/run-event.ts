/** What a run says while it runs (contract: Run, NDJSON). `at` is seconds since the start. */
import type { PathClass } from './rehearsal.ts';

export type RunEvent =
  | {
      readonly at: number;
      readonly type: 'step';
      readonly step: string;
      readonly phase: string;
      readonly state: 'started' | 'done' | 'already-done' | 'failed';
      readonly title: string;
      readonly nodes: readonly string[];
      readonly message?: string;
    }
  | {
      readonly at: number;
      readonly type: 'gate';
      readonly step: string;
      readonly gate: string;
      readonly state: 'holds' | 'waiting' | 'failed';
      readonly message: string;
    }
  | {
      readonly at: number;
      readonly type: 'probe';
      readonly message: string;
      /** Of a loss: the class whose budget it counts to, who lost, how long, and in which step. */
      readonly class?: PathClass | 'moving';
      readonly node?: string;
      readonly ms?: number;
      readonly step?: string;
    }
  | {
      readonly at: number;
      readonly type: 'health' | 'finding';
      readonly message: string;
      readonly node?: string;
    }
  | {
      readonly at: number;
      readonly type: 'pause' | 'resume' | 'undo' | 'done';
      readonly message: string;
    };
