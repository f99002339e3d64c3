/** A binary heap of timed actions, first by time, then by order of scheduling: ties never reorder. */
import type { OccurrenceId } from '../../model/occurrence.ts';

export class QueuedEvent {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
  /** What the action happens because of. */
  readonly causes: readonly OccurrenceId[];
  cancelled = false;

  constructor(at: number, order: number, action: () => void, causes: readonly OccurrenceId[]) {
    this.at = at;
    this.order = order;
    this.action = action;
    this.causes = causes;
  }

  cancel(): void {
    this.cancelled = true;
  }
}

export class EventQueue {
  private readonly heap: QueuedEvent[] = [];

  get size(): number {
    return this.heap.length;
  }

  peek(): QueuedEvent | undefined {
    // V8 gives up compiled code that reads past the end of a list.
    return this.heap.length === 0 ? undefined : this.heap[0];
  }

  push(event: QueuedEvent): void {
    const { heap } = this;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as QueuedEvent;
      if (!isBefore(event, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  }

  pop(): QueuedEvent | undefined {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.sink(last);
    return first;
  }

  private sink(event: QueuedEvent): void {
    const { heap } = this;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as QueuedEvent)) child += 1;
      const smaller = heap[child] as QueuedEvent;
      if (!isBefore(smaller, event)) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = event;
  }
}

function isBefore(left: QueuedEvent, right: QueuedEvent): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}
