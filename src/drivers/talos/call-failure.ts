/**
 * What went wrong with a call, told apart by who has to do what: the endpoint cannot be reached or
 * does not forward (the next one may), the node behind it cannot be reached, TLS, our role, the call
 * itself. Each gets one message: what was wanted, where, why, and what to do.
 */
import { Code, ConnectError } from '@connectrpc/connect';
import { RegaugeError, type ErrorCode } from '../../base/errors.ts';
import { rolesFor, type TalosRole } from '../../knowledge/talos-roles.ts';
import { NoConnection } from './endpoint.ts';
import { tlsProblem } from './tls-problems.ts';

export interface CallPlace {
  /** What was wanted, as in `cannot read /etc/os-release of talos-w-01`. */
  readonly what: string;
  readonly endpoint: string;
  readonly node: string | undefined;
  readonly service: string;
  readonly method: string;
  readonly context: string;
  readonly roles: readonly string[];
  /** The caller's signal ended it. */
  readonly isEnded: boolean;
  /** Where the call asks for more than its method does. */
  readonly rolesNeeded?: readonly TalosRole[];
}

export interface CallFailure {
  /**
   * `endpoint`: nobody has seen the call, another endpoint may. `busy`: it may have been seen, and the
   * same may go well later. `final`: asking again gives the same answer.
   */
  readonly scope: 'endpoint' | 'busy' | 'final';
  readonly error: RegaugeError;
}

/** A stream that was open said nothing for longer than it may. */
export class StreamSilent extends Error {
  constructor(milliseconds: number) {
    super(`nothing came for ${Math.round(milliseconds / 1000)} s`);
    this.name = 'StreamSilent';
  }
}

export function classify(error: unknown, place: CallPlace): CallFailure {
  if (error instanceof RegaugeError) return { scope: 'final', error };
  if (error instanceof NoConnection) {
    const message = `endpoint ${place.endpoint} cannot be reached: ${error.message}`;
    return { scope: 'endpoint', error: tell(place, 'unreachable', message, REACH, error) };
  }
  if (error instanceof StreamSilent) {
    const message = `the answer through endpoint ${place.endpoint} stopped: ${error.message}`;
    return { scope: 'busy', error: tell(place, 'timeout', message, undefined, error) };
  }
  const system = systemErrorOf(error);
  if (system !== undefined) return fromSystem(error, system, place);
  const connect = ConnectError.from(error);
  return fromStatus(connect, place);
}

const REACH = 'check the endpoints of the talosconfig, and that port 50000 is open to this machine';

/** Node's own error behind it, if the connection is at fault. */
function systemErrorOf(
  error: unknown,
): { readonly code: string; readonly text: string } | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return { code: at.code, text: at.message };
    // Several addresses of one name were tried.
    if (at instanceof AggregateError && at.errors.length > 0) return systemErrorOf(at.errors[0]);
  }
  return undefined;
}

const UNSEEN: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its name does not resolve',
  EAI_AGAIN: 'its name cannot be resolved now',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ETIMEDOUT: 'it does not answer',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what listens there does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'what listens there does not speak TLS',
};

function fromSystem(
  error: unknown,
  { code, text }: { readonly code: string; readonly text: string },
  place: CallPlace,
): CallFailure {
  const tls = tlsProblem(code, text, place.context);
  if (tls !== undefined) {
    return { scope: 'endpoint', error: tell(place, tls.code, tls.message, tls.hint, error) };
  }
  const unseen = UNSEEN[code];
  if (unseen !== undefined) {
    const message = `endpoint ${place.endpoint} cannot be reached: ${unseen}`;
    return { scope: 'endpoint', error: tell(place, 'unreachable', message, REACH, error) };
  }
  const message = `the connection to endpoint ${place.endpoint} broke (${code})`;
  return { scope: 'busy', error: tell(place, 'unreachable', message, undefined, error) };
}

const FINAL: Readonly<Partial<Record<Code, ErrorCode>>> = {
  [Code.InvalidArgument]: 'refused',
  [Code.FailedPrecondition]: 'refused',
  [Code.AlreadyExists]: 'conflict',
  [Code.NotFound]: 'not-found',
  [Code.OutOfRange]: 'refused',
  [Code.Unauthenticated]: 'unauthenticated',
};

function fromStatus(error: ConnectError, place: CallPlace): CallFailure {
  const text = error.rawMessage;
  switch (error.code) {
    case Code.PermissionDenied:
      return denied(error, place);
    case Code.Unavailable:
    case Code.Aborted:
      return fromUnavailable(error, place);
    case Code.DeadlineExceeded: {
      const message = `no answer in time from ${place.node ?? 'the node'} through endpoint ${place.endpoint}`;
      return { scope: 'busy', error: tell(place, 'timeout', message, undefined, error) };
    }
    case Code.Canceled:
      return fromCanceled(error, place);
    case Code.Unimplemented: {
      const message = `its Talos does not offer ${place.method} (${text})`;
      return { scope: 'final', error: tell(place, 'refused', message, undefined, error) };
    }
    case Code.ResourceExhausted:
      return { scope: 'busy', error: tell(place, 'refused', text, undefined, error) };
    default:
  }
  if (/missing (trailer|status)|premature|incomplete/i.test(text)) {
    const message = 'the answer ended before it was complete';
    return { scope: 'busy', error: tell(place, 'unreachable', message, undefined, error) };
  }
  const code = FINAL[error.code] ?? (/no such file/.test(text) ? 'not-found' : 'refused');
  return { scope: 'final', error: tell(place, code, text, undefined, error) };
}

/** talos:internal/app/apid/pkg/director/director.go and authz/authorizer.go@v1.13.9. */
function denied(error: ConnectError, place: CallPlace): CallFailure {
  const text = error.rawMessage;
  if (text.includes('no request forwarding')) {
    const message = `endpoint ${place.endpoint} is a worker, and only control planes forward calls`;
    const hint = 'set the endpoints to control planes: talosctl config endpoint <addresses>';
    return { scope: 'endpoint', error: tell(place, 'forbidden', message, hint, error) };
  }
  const needed = place.rolesNeeded ?? rolesFor(place.service, place.method);
  if (text.includes('not authorized') || needed.every((role) => !place.roles.includes(role))) {
    const held = place.roles.length === 0 ? 'no role' : place.roles.join(', ');
    const message = `context "${place.context}" has ${held}, and this takes ${needed.join(' or ')}`;
    const hint = `use a talosconfig with that role: talosctl config new --roles ${needed[0] ?? 'os:admin'}`;
    return { scope: 'final', error: tell(place, 'forbidden', message, hint, error) };
  }
  return { scope: 'final', error: tell(place, 'forbidden', text, undefined, error) };
}

/** Ended by our caller, or by a server that shut the connection instead of answering. */
function fromCanceled(error: ConnectError, place: CallPlace): CallFailure {
  if (place.isEnded) {
    return { scope: 'final', error: tell(place, 'interrupted', 'it was ended', undefined, error) };
  }
  const message = `endpoint ${place.endpoint} closed the connection without an answer`;
  const hint =
    'it restarts, or it does not accept our client certificate: is this the talosconfig of this cluster?';
  return { scope: 'busy', error: tell(place, 'unreachable', message, hint, error) };
}

/** The endpoint answered, and could not reach the node it was to forward to. */
function fromUnavailable(error: ConnectError, place: CallPlace): CallFailure {
  const text = error.rawMessage;
  if (/no such host/.test(text)) {
    const message = `endpoint ${place.endpoint} knows no node ${place.node ?? ''}`;
    const hint = 'name the node by its address, or by a name that control planes resolve';
    return { scope: 'final', error: tell(place, 'not-found', message, hint, error) };
  }
  const through = place.node === undefined || place.node === place.endpoint ? '' : ' through it';
  const message = `endpoint ${place.endpoint} answers, but the node does not${through}: ${text}`;
  return { scope: 'busy', error: tell(place, 'unreachable', message, undefined, error) };
}

function tell(
  place: CallPlace,
  code: ErrorCode,
  why: string,
  hint: string | undefined,
  cause: unknown,
): RegaugeError {
  const details = { cause, ...(hint === undefined ? {} : { hint }) };
  return new RegaugeError(code, `cannot ${place.what}: ${why}`, details);
}
