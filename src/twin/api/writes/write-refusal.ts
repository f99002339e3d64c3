/**
 * A write that the API server does not do, with the Status it answers (KK staging/src/k8s.io/
 * apimachinery/pkg/api/errors/errors.go): told to clients in memory and over the wire alike.
 */
import { RegaugeError } from '../../../base/errors.ts';
import { qualifiedName, type Resource } from '../served-resources.ts';

export interface RefusalCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

export interface RefusalStatus {
  readonly code: 400 | 409 | 422 | 500;
  readonly reason: 'BadRequest' | 'Conflict' | 'AlreadyExists' | 'Invalid' | '';
  readonly causes?: readonly RefusalCause[];
  /** What the write was about. */
  readonly about?: { readonly name: string; readonly group?: string; readonly kind: string };
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

type Named = Pick<Resource, 'group' | 'plural'>;

function aboutOf({ group, plural }: Named, name: string): NonNullable<RefusalStatus['about']> {
  return { name, ...(group === '' ? {} : { group }), kind: plural };
}

/** The patch, or what it is applied to, is not what it has to be. */
export function badPatch(message: string): WriteRefusal {
  return new WriteRefusal({ code: 400, reason: 'BadRequest' }, message);
}

export function alreadyExists(resource: Named, name: string): WriteRefusal {
  const message = `${qualifiedName(resource)} "${name}" already exists`;
  const about = aboutOf(resource, name);
  return new WriteRefusal({ code: 409, reason: 'AlreadyExists', about }, message);
}

/** The object is not as whoever writes thought it was. */
export function conflict(
  resource: Named,
  name: string,
  why = 'the object has been modified; please apply your changes to the latest version and try again',
): WriteRefusal {
  const message = `Operation cannot be fulfilled on ${qualifiedName(resource)} "${name}": ${why}`;
  const about = aboutOf(resource, name);
  return new WriteRefusal({ code: 409, reason: 'Conflict', about }, message);
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
): WriteRefusal {
  const causes = problems.map(({ type, field, detail, value }): RefusalCause => {
    const [reason, words] = PROBLEM_WORDS[type];
    const shown = value === undefined ? '' : `: ${JSON.stringify(value)}`;
    const told = detail === '' ? '' : `: ${detail}`;
    return { reason, message: `${words}${shown}${told}`, field };
  });
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  const told = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const typed = group === '' ? kind : `${kind}.${group}`;
  const about = { name, ...(group === '' ? {} : { group }), kind };
  return new WriteRefusal(
    { code: 422, reason: 'Invalid', causes, about },
    `${typed} "${name}" is invalid: ${told}`,
  );
}
