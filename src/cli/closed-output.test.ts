/** Output that nobody reads any more. */
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { outliveReaders } from './closed-output.ts';

function failed(code: string): Error {
  return Object.assign(new Error(`write ${code}`), { code });
}

it('goes on when its reader is gone, and fails as ever for any other reason', () => {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  outliveReaders(stdout, stderr);
  expect(stdout.emit('error', failed('EPIPE'))).toBe(true);
  expect(() => stderr.emit('error', failed('ENOSPC'))).toThrow('write ENOSPC');
});
