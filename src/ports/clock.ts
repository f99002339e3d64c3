/** Time as the engine sees it: real, or the twin's virtual time. */
export interface ClockPort {
  /** Milliseconds since an origin of the port's own; monotonic. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}
