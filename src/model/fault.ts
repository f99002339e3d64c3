/** Faults as data: what can go wrong around a run, and one that does, at a step, for so long. */

export interface FaultParameter {
  readonly about: string;
  readonly unit: 's' | 'count' | 'ratio';
  /** The mildest that still is the fault. */
  readonly least: number;
  readonly usual: number;
  readonly most: number;
}

export interface FaultDescription {
  readonly id: string;
  readonly title: string;
  /** What it stands for in the world. */
  readonly standsFor: string;
  /** Where that is told: an issue, a source file, a failure mode of the knowledge. */
  readonly source: string;
  /** What it strikes; `node` and `control-plane` strike one machine. */
  readonly strikes: 'executor' | 'cluster' | 'node' | 'control-plane';
  readonly parameters: Readonly<Record<string, FaultParameter>>;
}

/** One fault of a rehearsal. */
export interface FaultStrike {
  readonly fault: string;
  /** The id of the step that has just begun when it strikes. */
  readonly step: string;
  /** Seconds after that. */
  readonly after: number;
  /** The machine that is struck, where one is. */
  readonly node?: string;
  readonly parameters: Readonly<Record<string, number>>;
}
