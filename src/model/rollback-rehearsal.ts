/** What going back costs from each point of a plan, as rehearsed. Times are virtual. */
export interface RollbackRehearsal {
  readonly apiVersion: 'regauge.dev/v1';
  readonly kind: 'RollbackRehearsal';
  /** Of the plan. */
  readonly name: string;
  readonly seed: number;
  /** `broken`: from some point the cluster does not come back as it was. */
  readonly outcome: 'clean' | 'broken';
  readonly points: readonly RollbackPoint[];
  /** Steps behind which the way back needs the back-up. */
  readonly pointsOfNoReturn: readonly string[];
}

export interface RollbackPoint {
  /** Id of the step after which the run went back. */
  readonly after: string;
  readonly outcome: 'back' | 'broken';
  /** Why it did not come back. */
  readonly message?: string;
  readonly stepsBack: number;
  /** The way back alone. */
  readonly seconds: number;
  /** There and back together. */
  readonly maxRestartsPerPod: number;
  readonly podsStuck: number;
  readonly longestPathGapMs: number;
  readonly maxPodOutageSeconds: number;
}
