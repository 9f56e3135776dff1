import type { ReactElement } from 'react';
import { Icon } from './icon.tsx';
import { useToast } from './toast.tsx';

/** An identifier to hand to somebody else: shown whole, copied by one press. */
export function Copyable({ text, what }: { readonly text: string; readonly what: string }): ReactElement {
  const say = useToast();
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      say(`${what} copied.`);
    } catch {
      say(`Copying was refused by the browser. The ${what.toLowerCase()} is ${text}.`);
    }
  };
  return (
    <button
      type="button"
      aria-label={`Copy ${what.toLowerCase()} ${text}`}
      className="-mx-1.5 inline-flex max-w-[calc(100%+0.75rem)] items-center gap-1.5 rounded-md px-1.5 py-0.5 text-left font-mono text-xs text-soft hover:bg-sunken hover:text-ink"
      onClick={() => void copy()}
    >
      <span className="min-w-0 break-all">{text}</span>
      <Icon name="copy" />
    </button>
  );
}
