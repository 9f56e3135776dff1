/** What answers from outside a simulator, given to it: a test hands in a clock that moves when told. */
export interface SandboxClock {
  now(): Date;
  /** Resolves after the time or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface SandboxRandom {
  bytes(count: number): Uint8Array;
}
