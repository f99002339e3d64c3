/**
 * The mains of a machine: its power can be cut without a word to the system, and its next boot held
 * up. Apart from `Machine`, which is what the system's own API can do.
 */
import type { Machine } from '../world.ts';

export interface PowerControl {
  /** At once: nothing is stopped in good order, nothing that was under way goes on. */
  cut(): void;
  /** Back on; boots. Nothing when it is up already. */
  restore(): void;
  /** From now on the machine, once down, stays so until `restore`. */
  holdBoots(): void;
}

const controls = new WeakMap<Machine, PowerControl>();

export function setPowerControl(machine: Machine, control: PowerControl): void {
  controls.set(machine, control);
}

/** Undefined for a machine that nobody gave one: a fake of a test. */
export function powerControlOf(machine: Machine): PowerControl | undefined {
  return controls.get(machine);
}
