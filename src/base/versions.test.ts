import { describe, expect, it } from 'vitest';
import { atLeast, compareVersions, inRange, minorOf, normalVersion } from './versions.ts';

describe('versions', () => {
  it.each([
    ['v1.10.2', '1.10.2'],
    ['1.16', '1.16.0'],
    ['v1.14.0-rc.1', '1.14.0-rc.1'],
    ['1.33.13+k3s1', '1.33.13'],
  ])('reads %s as %s', (text, version) => expect(normalVersion(text)).toBe(version));

  it.each(['', 'latest', '1.x', 'v', '1.2.3.4'])('does not take %j for a version', (text) =>
    expect(normalVersion(text)).toBeUndefined(),
  );

  it('orders 1.9 before 1.10, and a release candidate before its release', () => {
    expect(compareVersions('v1.9.5', 'v1.10.0')).toBeLessThan(0);
    expect(atLeast('1.14.0-rc.1', '1.14.0')).toBe(false);
    expect(atLeast('1.14.0', 'v1.14')).toBe(true);
  });

  it('takes a release candidate as a member of a range that names it', () => {
    expect(inRange('v1.14.0-rc.1', '>=1.14.0-0')).toBe(true);
    expect(inRange('1.13.9', '>=1.14.0-0')).toBe(false);
  });

  it('tells the minor', () => expect(minorOf('v1.10.5')).toBe('1.10'));
});
