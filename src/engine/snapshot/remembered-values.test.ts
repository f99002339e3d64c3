/** Values that came before are told by their bytes, all of them, and by nothing else. */
import { describe, expect, it } from 'vitest';
import { RememberedValues } from './remembered-values.ts';

const VALUE = '{"name":"config","mountPath":"/etc/service"}';

function viewOf(text: string): DataView {
  const bytes = Uint8Array.from(Buffer.from(text));
  return new DataView(bytes.buffer);
}

function remembering(text: string, kept?: string): RememberedValues {
  const values = new RememberedValues(2);
  const whole = Buffer.from(text);
  values.find(viewOf(text), 0);
  values.add(whole, 0, whole.length, kept === undefined ? undefined : Buffer.from(kept));
  return values;
}

describe('RememberedValues', () => {
  it('finds a value where all its bytes stand again, with what was kept of it', () => {
    const values = remembering(VALUE, '{}');
    expect(values.find(viewOf(`,,,${VALUE},{"more":1}`), 3)).toMatchObject({
      length: VALUE.length,
      kept: Buffer.from('{}'),
    });
  });

  it('finds nothing where a single byte is another, wherever it stands, or the text ends early', () => {
    const values = remembering(VALUE);
    for (let at = 0; at < VALUE.length; at += 1) {
      const other = `${VALUE.slice(0, at)}~${VALUE.slice(at + 1)}`;
      expect(values.find(viewOf(other), 0)).toBeUndefined();
    }
    expect(remembering(VALUE).find(viewOf(VALUE.slice(0, -1)), 0)).toBeUndefined();
  });

  it('keeps its own copy of the bytes, and forgets the oldest', () => {
    const values = new RememberedValues(2);
    const memory = Buffer.alloc(VALUE.length);
    const texts = ['config', 'second', 'thirds'].map((name) => VALUE.replace('config', name));
    for (const text of texts) {
      memory.write(text);
      values.add(memory, 0, memory.length, undefined);
    }
    const found = texts.map((text) => values.find(viewOf(text), 0) !== undefined);
    expect(found).toEqual([false, true, true]);
  });
});
