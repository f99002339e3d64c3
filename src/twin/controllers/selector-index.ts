/** Label selectors turned round: from a pod's labels to those that select it, without trying all. */
import { type LabelSelector, matchesLabels } from '../../model/kubernetes.ts';

interface Entry<T> {
  readonly namespace: string;
  readonly selector: LabelSelector;
  /** One `key=value` the labels must have; undefined when the selector names none. */
  readonly pair: string | undefined;
  readonly value: T;
}

export class SelectorIndex<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private readonly byPair = new Map<string, Set<Entry<T>>>();

  set(key: string, namespace: string, selector: LabelSelector, value: T): void {
    this.delete(key);
    const [first] = Object.entries(selector.matchLabels ?? {});
    const pair = first === undefined ? undefined : `${first[0]}=${first[1]}`;
    const entry = { namespace, selector, pair, value };
    this.entries.set(key, entry);
    const place = `${namespace}|${pair ?? ''}`;
    let set = this.byPair.get(place);
    if (set === undefined) this.byPair.set(place, (set = new Set()));
    set.add(entry);
  }

  delete(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.byPair.get(`${entry.namespace}|${entry.pair ?? ''}`)?.delete(entry);
  }

  matching(namespace: string, labels: Readonly<Record<string, string>> = {}): T[] {
    const found: T[] = [];
    this.collect(`${namespace}|`, labels, found);
    for (const key in labels) this.collect(`${namespace}|${key}=${labels[key]}`, labels, found);
    return found;
  }

  private collect(place: string, labels: Readonly<Record<string, string>>, found: T[]): void {
    const entries = this.byPair.get(place);
    if (entries === undefined) return;
    for (const { selector, value } of entries)
      if (matchesLabels(selector, labels)) found.push(value);
  }
}
