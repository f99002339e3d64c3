/**
 * A fault: something that goes wrong around a migration. It changes the world, or the way to it, and
 * says nothing of what is to come of that. Parameters are numbers, so that a counter-example can be
 * made smaller.
 */
import type { Random } from '../../base/random.ts';
import type { FaultDescription, FaultParameter } from '../../model/fault.ts';
import type { TwinWorld } from '../scenario/build-world.ts';
import type { Processes } from './processes.ts';
import type { Weather } from './wire.ts';

/** What a fault may touch. */
export interface FaultScene {
  readonly world: TwinWorld;
  readonly weather: Weather;
  readonly processes: Processes;
  readonly executor: ExecutorControl;
  /** Of this fault alone: its draws shift nobody else's. */
  readonly random: Random;
}

/** The executor's own process, from outside. */
export interface ExecutorControl {
  /** It dies now, or right after it has sent so many more calls; another begins after the delay. */
  kill(options: { readonly afterCalls: number; readonly backAfterMs: number }): void;
  /** Somebody starts another one beside it, with the same plan. */
  startAnother(): void;
}

export interface Strike {
  /** The node that is struck; of cluster-wide faults, the node whose turn it is. */
  readonly node: string;
  readonly value: (parameter: string) => number;
}

/** Until the world is as it was; `lasting` where it never is by itself. */
export type Ending = { readonly overAfterMs: number } | 'lasting';

export interface Fault extends FaultDescription {
  strike(scene: FaultScene, strike: Strike): Ending;
}

/** A parameter that most faults have: how long it lasts. */
export function seconds(about: string, least: number, usual: number, most: number): FaultParameter {
  return { about, unit: 's', least, usual, most };
}

export function overAfter(secondsLong: number): Ending {
  return { overAfterMs: secondsLong * 1000 };
}
