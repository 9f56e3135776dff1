/** Asks whoever is at the screen to show once more who they are; true when they did. */
type Ask = () => Promise<boolean>;

let ask: Ask | null = null;
let asking: Promise<boolean> | null = null;

/** Who shows the question; null: nobody is there to show it. */
export function answerProofsWith(next: Ask | null): void {
  ask = next;
}

/** One question for all requests that wait for it. */
export function askProof(): Promise<boolean> {
  if (ask === null) return Promise.resolve(false);
  asking ??= ask().finally(() => {
    asking = null;
  });
  return asking;
}
