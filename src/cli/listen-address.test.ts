import { describe, expect, it } from 'vitest';
import { addressToListenOn } from './listen-address.ts';

describe('where a served twin listens', () => {
  it.each([
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['127.8.9.1:6443', { host: '127.8.9.1', port: 6443 }],
    ['localhost:1', { host: 'localhost', port: 1 }],
    ['[::1]:6443', { host: '::1', port: 6443 }],
    [':6443', { host: '127.0.0.1', port: 6443 }],
  ])('%s is taken', (text, address) => {
    expect(addressToListenOn(text, false)).toEqual(address);
  });

  it.each(['0.0.0.0:0', '[::]:0', '10.0.0.1:1', '127.0.0.1.example.com:1'])(
    '%s is reached by others, which has to be said aloud',
    (text) => {
      expect(() => addressToListenOn(text, false)).toThrow('others could reach the twin');
      expect(addressToListenOn(text, true).port).toBeLessThan(2);
    },
  );

  it.each(['6443', '127.0.0.1', '127.0.0.1:x', '127.0.0.1:70000', '::1:80', ''])(
    '%s is no address',
    (text) => {
      expect(() => addressToListenOn(text, true)).toThrow('is no address and port');
    },
  );
});
