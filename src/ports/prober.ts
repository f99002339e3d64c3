/** Continuous probes over the classes of paths, from before the first step until after the last. */
import type { PathObservation } from '../model/rehearsal.ts';

export interface ProberPort {
  /** Creates the probe pods and starts sending; resolves when every path was seen once. */
  start(): Promise<void>;
  /** Paths that lose packets now. */
  failing(): Promise<readonly FailingPath[]>;
  /** What was observed since the start. */
  observations(): Promise<readonly PathObservation[]>;
  stop(): Promise<void>;
}

export interface FailingPath {
  readonly from: PathObservation['from'];
  readonly to: PathObservation['to'];
  readonly sinceMs: number;
  readonly message: string;
}
