/**
 * What the API server answers when it does not do what was asked: a Status with the codes, reasons
 * and words of KK staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go.
 */
import { RegaugeError } from '../../../base/errors.ts';
import { qualifiedName, type Resource } from '../../api/served-resources.ts';
import { WriteRefusal } from '../../api/writes/write-refusal.ts';

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

function detailsOf({ group, plural }: Named, name: string): NonNullable<StatusBody['details']> {
  return { name, ...(group === '' ? {} : { group }), kind: plural };
}

export function notFound(resource: Named, name: string): ApiError {
  const message = `${qualifiedName(resource)} "${name}" not found`;
  return new ApiError(404, 'NotFound', message, detailsOf(resource, name));
}

/** A path that leads nowhere. */
export function noSuchPath(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function forbidden(resource: Named, name: string, why: string): ApiError {
  const subject = name === '' ? qualifiedName(resource) : `${qualifiedName(resource)} "${name}"`;
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

/** What the twin's own parts throw, as a Status. */
export function asApiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof WriteRefusal) {
    const { code, reason, causes, about } = error.refusal;
    const details = { ...about, ...(causes === undefined ? {} : { causes }) };
    const isBare = about === undefined && causes === undefined;
    return new ApiError(code, reason, error.message, isBare ? undefined : details);
  }
  if (!(error instanceof RegaugeError)) return undefined;
  switch (error.code) {
    case 'not-found':
      return new ApiError(404, 'NotFound', error.message);
    case 'conflict':
      return new ApiError(409, 'Conflict', error.message);
    case 'unreachable':
      return new ApiError(500, 'InternalError', `Internal error occurred: ${error.message}`);
    default:
      return badRequest(error.message);
  }
}
