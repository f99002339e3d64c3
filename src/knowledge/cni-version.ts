/**
 * CNI specification versions as libcni compares them (`cni:pkg/version/plugin.go@v1.3.0`): an empty
 * version is 0.1.0, up to three numeric parts, anything else is an error.
 */
export const CNI_VERSIONS = [
  '0.1.0',
  '0.2.0',
  '0.3.0',
  '0.3.1',
  '0.4.0',
  '1.0.0',
  '1.1.0',
] as const;

type Triple = readonly [number, number, number];

export type Comparison =
  { readonly ok: true; readonly value: boolean } | { readonly ok: false; readonly error: string };

const TRUE: Comparison = { ok: true, value: true };
const FALSE: Comparison = { ok: true, value: false };
const PARTS = ['major', 'minor', 'micro'] as const;

export function cniAtLeast(version: string, floor: string): Comparison {
  const order = compared(version, floor);
  if (typeof order !== 'number') return order;
  return order >= 0 ? TRUE : FALSE;
}

export function cniGreater(version: string, other: string): Comparison {
  const order = compared(version, other);
  if (typeof order !== 'number') return order;
  return order > 0 ? TRUE : FALSE;
}

function compared(left: string, right: string): number | Comparison {
  const first = read(left);
  if (typeof first === 'string') return { ok: false, error: first };
  const second = read(right);
  if (typeof second === 'string') return { ok: false, error: second };
  if (first[0] !== second[0]) return first[0] - second[0];
  return first[1] === second[1] ? first[2] - second[2] : first[1] - second[1];
}

const KNOWN_MAX = 256;
const known = new Map<string, Triple | string>();

/** The same few versions are compared at every plugin call. */
function read(version: string): Triple | string {
  const before = known.get(version);
  if (before !== undefined) return before;
  const made = parsed(version);
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(version, made);
  return made;
}

/** The three numbers, or libcni's complaint. */
function parsed(version: string): Triple | string {
  if (version === '') return [0, 1, 0];
  const parts = version.split('.');
  if (parts.length >= 4) return `invalid version "${version}": too many parts`;
  const numbers: [number, number, number] = [0, 0, 0];
  for (const [index, name] of PARTS.entries()) {
    const part = parts[index];
    if (part === undefined) break;
    if (!/^[+-]?\d+$/.test(part)) {
      return `failed to convert ${name} version part "${part}": strconv.Atoi: parsing "${part}": invalid syntax`;
    }
    numbers[index] = Number(part);
  }
  return numbers;
}
