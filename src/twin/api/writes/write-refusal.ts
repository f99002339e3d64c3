/** A write that the API server does not do, with the Status it answers: told to both kinds of clients. */
import { RegaugeError } from '../../../base/errors.ts';

export interface RefusalStatus {
  readonly code: 400 | 409 | 422;
  readonly reason: 'BadRequest' | 'Conflict' | 'Invalid';
  readonly causes?: readonly {
    readonly reason: string;
    readonly message: string;
    readonly field: string;
  }[];
}

export class WriteRefusal extends RegaugeError {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof RegaugeError && 'refusal' in value;
  }

  readonly refusal: RefusalStatus;

  constructor(refusal: RefusalStatus, message: string, hint?: string) {
    const code = refusal.code === 409 ? 'conflict' : 'refused';
    super(code, message, hint === undefined ? {} : { hint });
    this.refusal = refusal;
  }
}

/** The patch, or what it is applied to, is not what it has to be. */
export function badPatch(message: string): WriteRefusal {
  return new WriteRefusal({ code: 400, reason: 'BadRequest' }, message);
}
