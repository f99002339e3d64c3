/**
 * What the API server answers when it does not do what was asked: a Status with the codes, reasons
 * and words of KK staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go.
 */
import type { Resource } from '../../api/served-resources.ts';

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusBody {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: object;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly causes?: readonly StatusCause[];
    readonly retryAfterSeconds?: number;
  };
  readonly code: number;
}

export class ApiError extends Error {
  readonly body: StatusBody;

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: NonNullable<StatusBody['details']>,
  ) {
    super(message);
    this.name = 'ApiError';
    this.body = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

type Named = Pick<Resource, 'group' | 'plural'>;

/** `deployments.apps`; core kinds go by their name alone. */
function qualified({ group, plural }: Named): string {
  return group === '' ? plural : `${plural}.${group}`;
}

function detailsOf({ group, plural }: Named, name: string): NonNullable<StatusBody['details']> {
  return { name, ...(group === '' ? {} : { group }), kind: plural };
}

export function notFound(resource: Named, name: string): ApiError {
  const message = `${qualified(resource)} "${name}" not found`;
  return new ApiError(404, 'NotFound', message, detailsOf(resource, name));
}

/** A path that leads nowhere. */
export function noSuchPath(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(resource: Named, name: string): ApiError {
  const message = `${qualified(resource)} "${name}" already exists`;
  return new ApiError(409, 'AlreadyExists', message, detailsOf(resource, name));
}

export function conflict(
  resource: Named,
  name: string,
  why = 'the object has been modified; please apply your changes to the latest version and try again',
): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`;
  return new ApiError(409, 'Conflict', message, detailsOf(resource, name));
}

export interface FieldProblem {
  /** `Required value`, `Invalid value`, … */
  readonly type: 'Invalid' | 'Required' | 'NotSupported' | 'Duplicate' | 'Forbidden';
  readonly field: string;
  readonly detail: string;
  readonly value?: unknown;
}

const PROBLEM_WORDS = {
  Invalid: ['FieldValueInvalid', 'Invalid value'],
  Required: ['FieldValueRequired', 'Required value'],
  NotSupported: ['FieldValueNotSupported', 'Unsupported value'],
  Duplicate: ['FieldValueDuplicate', 'Duplicate value'],
  Forbidden: ['FieldValueForbidden', 'Forbidden'],
} as const;

/** 422, with one cause per field. */
export function invalid(
  { group, kind }: Pick<Resource, 'group' | 'kind'>,
  name: string,
  problems: readonly FieldProblem[],
): ApiError {
  const causes = problems.map(({ type, field, detail, value }): StatusCause => {
    const [reason, words] = PROBLEM_WORDS[type];
    const shown = value === undefined ? '' : `: ${JSON.stringify(value)}`;
    const told = detail === '' ? '' : `: ${detail}`;
    return { reason, message: `${words}${shown}${told}`, field };
  });
  const texts = causes.map(({ field, message }) => `${field ?? ''}: ${message}`);
  const told = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const typed = group === '' ? kind : `${kind}.${group}`;
  return new ApiError(422, 'Invalid', `${typed} "${name}" is invalid: ${told}`, {
    name,
    ...(group === '' ? {} : { group }),
    kind,
    causes,
  });
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function forbidden(resource: Named, name: string, why: string): ApiError {
  const subject = name === '' ? qualified(resource) : `${qualified(resource)} "${name}"`;
  return new ApiError(
    403,
    'Forbidden',
    `${subject} is forbidden: ${why}`,
    detailsOf(resource, name),
  );
}

export function unauthorized(): ApiError {
  return new ApiError(401, 'Unauthorized', 'Unauthorized');
}

export function methodNotAllowed(): ApiError {
  const message = 'the server does not allow this method on the requested resource';
  return new ApiError(405, 'MethodNotAllowed', message, {});
}

export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message);
}

/** A watch that begins before what is remembered. */
export function tooOld(asked: number, oldest: number): ApiError {
  return expired(`too old resource version: ${asked} (${oldest})`);
}

export function unsupportedMediaType(supported: readonly string[]): ApiError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${supported.join(', ')}`;
  return new ApiError(415, 'UnsupportedMediaType', message);
}

export function unavailable(message: string): ApiError {
  return new ApiError(503, 'ServiceUnavailable', message);
}

export function notImplemented(message: string): ApiError {
  return new ApiError(501, 'NotImplemented', message);
}

export function internalError(message: string): ApiError {
  return new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, {
    causes: [{ reason: 'InternalError', message }],
  });
}
