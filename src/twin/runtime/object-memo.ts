/**
 * What was made of an object, for as long as the object lives; the last one is at hand, since most
 * calls of a plugin are for the same settings.
 */
export class ObjectMemo<K extends object, V> {
  private readonly all = new WeakMap<K, V>();
  private lastKey: K | undefined;
  private lastValue: V | undefined;

  get(key: K): V | undefined {
    if (key === this.lastKey) return this.lastValue;
    const value = this.all.get(key);
    this.lastKey = key;
    this.lastValue = value;
    return value;
  }

  set(key: K, value: V): void {
    this.all.set(key, value);
    this.lastKey = key;
    this.lastValue = value;
  }
}
