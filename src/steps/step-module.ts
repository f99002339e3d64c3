/**
 * What a step kind is: `observe` (is it done already?), `act` (idempotent), `verify` (has it come
 * about?). All of it through ports and level-triggered: resuming a run is observing again.
 */
import type { Action, ActionKind, Plan, Step } from '../model/plan.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import type { Ports, SnapshotOutcome, EtcdSnapshotSink } from '../ports/index.ts';
import type { OwnerTurns } from './owner-turns.ts';

export type ActionOf<K extends ActionKind> = Extract<Action, { readonly kind: K }>;

export type Observation = 'done' | 'todo' | { readonly blocked: string };

export type Verdict =
  { readonly holds: true } | { readonly holds: false; readonly message: string };

/** Where backups go. What was saved is read back and compared before anything is destroyed. */
export interface BackupStore {
  save(key: string, objects: readonly KubeObject[]): Promise<void>;
  read(key: string): Promise<readonly KubeObject[] | undefined>;
  /** Only where there are files: what is too large, or too secret, for a cluster to hold. */
  saveStream?(
    name: string,
    write: (sink: EtcdSnapshotSink) => Promise<SnapshotOutcome>,
  ): Promise<SavedStream>;
}

export interface SavedStream {
  readonly place: string;
  readonly outcome: SnapshotOutcome;
  /** SHA-256 of what the place holds now. */
  readonly readBack: string;
}

export interface StepContext {
  readonly ports: Ports;
  readonly plan: Plan;
  readonly step: Step;
  /** Clock time (milliseconds) at which the step gives up. */
  readonly deadline: number;
  readonly backups: BackupStore;
  /** Shared by all steps of a run: keeps one owner's pods from being restarted all at once. */
  readonly turns: OwnerTurns;
  /** Something a person who watches wants to know. */
  say(message: string, node?: string): void;
}

export interface StepModule<K extends ActionKind> {
  observe(context: StepContext, action: ActionOf<K>): Promise<Observation>;
  act(context: StepContext, action: ActionOf<K>): Promise<void>;
  verify(context: StepContext, action: ActionOf<K>): Promise<Verdict>;
  /** The action that takes this one back, where that follows from the action alone. */
  undo(action: ActionOf<K>): Action | null;
}

export const HOLDS: Verdict = { holds: true };

export function fails(message: string): Verdict {
  return { holds: false, message };
}

/** For kinds whose `observe` says all there is to say. */
export async function verifyByObserving<K extends ActionKind>(
  module: Pick<StepModule<K>, 'observe'>,
  context: StepContext,
  action: ActionOf<K>,
  notYet: string,
): Promise<Verdict> {
  const seen = await module.observe(context, action);
  if (seen === 'done') return HOLDS;
  return fails(seen === 'todo' ? notYet : seen.blocked);
}
