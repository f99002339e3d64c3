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
  return compared(version, floor, (difference) => difference >= 0);
}

export function cniGreater(version: string, other: string): Comparison {
  return compared(version, other, (difference) => difference > 0);
}

function compared(left: string, right: string, test: (difference: number) => boolean): Comparison {
  const first = parsed(left);
  if (typeof first === 'string') return { ok: false, error: first };
  const second = parsed(right);
  if (typeof second === 'string') return { ok: false, error: second };
  for (let index = 0; index < 3; index += 1) {
    const difference = (first[index] ?? 0) - (second[index] ?? 0);
    if (difference !== 0) return test(difference) ? TRUE : FALSE;
  }
  return test(0) ? TRUE : FALSE;
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
