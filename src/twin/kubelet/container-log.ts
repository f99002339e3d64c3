/**
 * What one run of a container has printed. The newest lines are kept, as a kubelet keeps the newest
 * of its files (KK pkg/kubelet/logs: 10 MiB each); a container that prints nothing costs nothing.
 */
import type { ContainerLog, LogLine } from '../world.ts';

/** A log file's 10 MiB; and no more lines than there are of 200 bytes in it. */
const CHARACTERS_MAX = 10 * 1024 * 1024;
const LINES_MAX = 50_000;

type Listener = (line: LogLine | undefined) => void;

export class PrintedLines implements ContainerLog {
  private kept: LogLine[] = [];
  private listeners: Set<Listener> | undefined;
  private over = false;
  private characters = 0;

  get lines(): readonly LogLine[] {
    return this.kept;
  }

  get ended(): boolean {
    return this.over;
  }

  follow(listener: Listener): () => void {
    if (this.over) return () => undefined;
    this.listeners ??= new Set();
    this.listeners.add(listener);
    return () => this.listeners?.delete(listener);
  }

  print(line: LogLine): void {
    if (this.over) return;
    // Halved at once, so that a long log costs no shift per line.
    if (this.kept.length >= LINES_MAX || this.characters >= CHARACTERS_MAX) this.halve();
    this.kept.push(line);
    this.characters += line.text.length;
    for (const listener of this.listeners ?? []) listener(line);
  }

  end(): void {
    if (this.over) return;
    this.over = true;
    for (const listener of this.listeners ?? []) listener(undefined);
    this.listeners = undefined;
  }

  private halve(): void {
    this.kept = this.kept.slice(this.kept.length / 2);
    this.characters = this.kept.reduce((sum, { text }) => sum + text.length, 0);
  }
}
