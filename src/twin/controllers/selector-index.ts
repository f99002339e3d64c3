/** Label selectors turned round: from a pod's labels to those that select it, without trying all. */
import { type LabelSelector, matchesLabels } from '../../model/kubernetes.ts';

interface Entry<T> {
  readonly namespace: string;
  readonly selector: LabelSelector;
  /** One key and value the labels must have; undefined when the selector names none. */
  readonly pair: readonly [string, string] | undefined;
  readonly value: T;
}

/** What selectors of one namespace ask for: by a pair's key, then its value. */
interface Namespace<T> {
  readonly byKey: Map<string, Map<string, Set<Entry<T>>>>;
  /** Those that name no pair. */
  readonly others: Set<Entry<T>>;
}

export class SelectorIndex<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private readonly namespaces = new Map<string, Namespace<T>>();

  set(key: string, namespace: string, selector: LabelSelector, value: T): void {
    this.delete(key);
    const [pair] = Object.entries(selector.matchLabels ?? {});
    const entry = { namespace, selector, pair, value };
    this.entries.set(key, entry);
    this.placeOf(entry).add(entry);
  }

  delete(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.placeOf(entry).delete(entry);
  }

  matching(namespace: string, labels: Readonly<Record<string, string>> = {}): readonly T[] {
    const place = this.namespaces.get(namespace);
    if (place === undefined) return NONE;
    const found: T[] = [];
    collect(place.others, labels, found);
    for (const key in labels) {
      const byValue = place.byKey.get(key);
      if (byValue !== undefined) collect(byValue.get(labels[key] ?? ''), labels, found);
    }
    return found;
  }

  private placeOf({ namespace, pair }: Entry<T>): Set<Entry<T>> {
    let place = this.namespaces.get(namespace);
    if (place === undefined)
      this.namespaces.set(namespace, (place = { byKey: new Map(), others: new Set() }));
    if (pair === undefined) return place.others;
    const [key, value] = pair;
    let byValue = place.byKey.get(key);
    if (byValue === undefined) place.byKey.set(key, (byValue = new Map()));
    let entries = byValue.get(value);
    if (entries === undefined) byValue.set(value, (entries = new Set()));
    return entries;
  }
}

const NONE: readonly never[] = [];

function collect<T>(
  entries: ReadonlySet<Entry<T>> | undefined,
  labels: Readonly<Record<string, string>>,
  found: T[],
): void {
  if (entries === undefined) return;
  for (const { selector, value } of entries) if (matchesLabels(selector, labels)) found.push(value);
}
