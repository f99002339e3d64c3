/**
 * The power of a machine: it stops its pods, goes down, loses what is volatile and boots, or is cut off
 * in the middle of anything. What a system says and does at each turn is its own.
 */
import { type MachineHost, stopAllPods } from './power.ts';
import type { PowerControl } from './power-control.ts';

export interface PowerTurns {
  /** It was told to reboot: its pods are stopped next. */
  stopping(): void;
  /** It is down: after its pods, or all of a sudden. */
  down(how: 'reboot' | 'cut'): void;
  /** It is up again. */
  booted(): void;
}

export class PowerCycle {
  private readonly host: MachineHost;
  private readonly turns: PowerTurns;
  private isUp: boolean;
  private isBusy = false;
  private boots = 1;
  /** Grows when the power is cut: what was under way then does not go on. */
  private cuts = 0;
  private bootsHeld = false;

  constructor(host: MachineHost, turns: PowerTurns) {
    this.host = host;
    this.turns = turns;
    this.isUp = host.isOff !== true;
  }

  get up(): boolean {
    return this.isUp;
  }

  /** Between two states: it is told nothing more. */
  get busy(): boolean {
    return this.isBusy;
  }

  /** Which boot it is, from 1. */
  get boot(): number {
    return this.boots;
  }

  reboot(): void {
    if (this.isBusy) return;
    this.isBusy = true;
    this.turns.stopping();
    const { cuts } = this;
    stopAllPods(this.host, () => {
      if (cuts !== this.cuts) return;
      this.isUp = false;
      this.turns.down('reboot');
      this.planBoot();
    });
  }

  control(): PowerControl {
    return {
      cut: () => this.cut(),
      restore: () => this.restore(),
      holdBoots: () => (this.bootsHeld = true),
    };
  }

  private planBoot(): void {
    const { kernel, constants } = this.host.world;
    const { cuts } = this;
    kernel.after(constants.rebootMs, () => {
      if (cuts === this.cuts && !this.bootsHeld) this.start();
    });
  }

  private cut(): void {
    this.cuts += 1;
    this.isBusy = true;
    if (!this.isUp) return;
    this.isUp = false;
    this.turns.down('cut');
  }

  private restore(): void {
    this.bootsHeld = false;
    if (this.isUp) return;
    this.cuts += 1;
    this.isBusy = true;
    this.planBoot();
  }

  private start(): void {
    this.boots += 1;
    this.isUp = true;
    this.isBusy = false;
    this.turns.booted();
  }
}
