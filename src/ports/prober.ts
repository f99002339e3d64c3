/** Continuous probes over the classes of paths, from before the first step until after the last. */
import type { PathObservation } from '../model/rehearsal.ts';

export interface ProberPort {
  /** Creates the probe pods and starts sending; resolves when every path was seen once. */
  start(): Promise<void>;
  /** Paths that lose packets now. An empty answer says nothing of nodes that `unknown` names. */
  failing(): Promise<readonly FailingPath[]>;
  /**
   * Nodes whose probes could not be read, or not lately enough: of their paths nothing is known, and
   * that is not the same as fine. A prober without it knows of all.
   */
  unknown?(): Promise<readonly UnknownPaths[]>;
  /** Nodes that are about to change: they and their peers are read often, all others now and then. */
  attend?(nodes: readonly string[]): void;
  /** What was observed since the start. */
  observations(): Promise<readonly PathObservation[]>;
  /**
   * Whether a pod that a policy can close (`closingPolicy`) is reached from each node's pod now. The pod
   * is made when this is first asked; nothing is told until it runs and was tried.
   */
  forbidden?(): Promise<readonly ClosedPath[]>;
  /** Takes away all that `start` made. */
  stop(): Promise<void>;
}

export interface FailingPath {
  readonly from: PathObservation['from'];
  readonly to: PathObservation['to'];
  readonly sinceMs: number;
  readonly message: string;
}

export interface ClosedPath {
  readonly from: PathObservation['from'];
  readonly to: PathObservation['to'];
  /** Undefined while not tried. */
  readonly reached: boolean | undefined;
}

export interface UnknownPaths {
  readonly node: string;
  /** Since the last reading; since the start when there was none. */
  readonly sinceMs: number;
  readonly message: string;
}
