/** Versions of charts, Talos and Kubernetes, compared leniently at the edge (`v1.10.2`, `1.16`). */
import coerce from 'semver/functions/coerce.js';
import compare from 'semver/functions/compare.js';
import satisfies from 'semver/functions/satisfies.js';
import parse from 'semver/functions/parse.js';

/** `v1.10` → `1.10.0`; keeps a pre-release; undefined when it is no version. */
export function normalVersion(text: string): string | undefined {
  if (normalised.has(text)) return normalised.get(text);
  if (normalised.size >= NORMALISED_MAX) normalised.clear();
  const version = normalise(text);
  normalised.set(text, version);
  return version;
}

/** A run asks about the same few versions all the time. */
const normalised = new Map<string, string | undefined>();
const NORMALISED_MAX = 1_000;

function normalise(text: string): string | undefined {
  const trimmed = text.trim().replace(/^v/, '');
  const exact = parse(trimmed);
  if (exact !== null) return exact.version;
  if (!/^\d+(\.\d+){0,2}([-+].*)?$/.test(trimmed)) return undefined;
  return coerce(trimmed)?.version;
}

/** Negative, zero or positive. Both must be versions. */
export function compareVersions(left: string, right: string): number {
  const against = compared.get(left);
  const known = against?.get(right);
  if (known !== undefined) return known;
  const order = compare(normalVersion(left) ?? left, normalVersion(right) ?? right);
  if (against !== undefined) against.set(right, order);
  else {
    if (compared.size >= NORMALISED_MAX) compared.clear();
    compared.set(left, new Map([[right, order]]));
  }
  return order;
}

const compared = new Map<string, Map<string, number>>();

export function atLeast(version: string, floor: string): boolean {
  return compareVersions(version, floor) >= 0;
}

/** Pre-releases count as members of a range (`1.14.0-rc.1` satisfies `>=1.14.0-0`). */
export function inRange(version: string, range: string): boolean {
  return satisfies(normalVersion(version) ?? version, range, { includePrerelease: true });
}

/** `1.10.5` → `1.10`. */
export function minorOf(version: string): string {
  return (normalVersion(version) ?? version).split('.').slice(0, 2).join('.');
}
