import { useRef } from 'react';
import { Problem } from './api.ts';

/**
 * The idempotency key of what a person means to do with a form: one key for one content of the form, kept over double
 * clicks and retries after silence, so that "try again" can never pay twice.
 */
export function useIntent(): { readonly run: <T>(content: string, send: (key: string) => Promise<T>) => Promise<T> } {
  const present = useRef<{ readonly content: string; readonly key: string } | null>(null);
  return {
    async run(content, send) {
      const intent = present.current?.content === content ? present.current : { content, key: crypto.randomUUID() };
      present.current = intent;
      try {
        const answer = await send(intent.key);
        present.current = null;
        return answer;
      } catch (error) {
        // A settled refusal ends the intent: asking again later is a new wish. An unknown outcome keeps it.
        if (error instanceof Problem && !error.isUnsettled) present.current = null;
        throw error;
      }
    },
  };
}
