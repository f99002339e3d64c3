/** A service of the system that a machine starts with itself, and that somebody may restart. */
import type { SystemService } from './systems.ts';

export interface UnitService extends SystemService {
  /** The name of its unit. */
  readonly unit: string;
  /** When the machine boots: runtime and kubelet start with it. */
  start(): void;
  restart(): void;
  powerLost(): void;
}
