/** Errors that are known as ours wherever they were made. */
import { expect, it } from 'vitest';
import { RegaugeError } from './errors.ts';

it('is known by its mark: a bundle of its own has a class of its own', () => {
  const foreign = Object.assign(new Error('from another bundle'), {
    [Symbol.for('regauge.dev/error')]: true,
    code: 'bad-input',
  });
  expect(foreign).toBeInstanceOf(RegaugeError);
  expect(new RegaugeError('usage', 'own')).toBeInstanceOf(RegaugeError);
});

it('is not taken for one because it is an error, or has a code', () => {
  expect(new Error('plain')).not.toBeInstanceOf(RegaugeError);
  expect(Object.assign(new Error('system'), { code: 'ENOENT' })).not.toBeInstanceOf(RegaugeError);
  expect({ [Symbol.for('regauge.dev/error')]: true }).not.toBeInstanceOf(RegaugeError);
});
