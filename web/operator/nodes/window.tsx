import type { ReactElement } from 'react';
import { Field } from '../../ui/field.tsx';
import { formatTime, instantOf } from '../../ui/time.ts';

/** A part of time as the browser's own fields have it, in the visitor's zone. Empty: without end on that side. */
export interface Window {
  readonly since: string;
  readonly until: string;
}

export const EVER: Window = { since: '', until: '' };

/** The same for the server. */
export function windowQuery({ since, until }: Window): { readonly since?: string; readonly until?: string } {
  const [first, last] = [instantOf(since), instantOf(until)];
  return { ...(first !== null && { since: first }), ...(last !== null && { until: last }) };
}

/** "Recorded from 23 Nov 2026, 14:05 until now." */
export function windowText(window: Window): string {
  const { since, until } = windowQuery(window);
  if (since === undefined && until === undefined) return 'Everything it has ever charged.';
  const from = since === undefined ? 'from the beginning' : `from ${formatTime(since)}`;
  return `What was recorded ${from} ${until === undefined ? 'until now' : `until ${formatTime(until)}`}.`;
}

interface WindowFieldsProps {
  readonly window: Window;
  readonly onChange: (window: Window) => void;
}

export function WindowFields({ window, onChange }: WindowFieldsProps): ReactElement {
  const isUpsideDown = window.since !== '' && window.until !== '' && window.since >= window.until;
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field
        label="Recorded from"
        name="since"
        type="datetime-local"
        value={window.since}
        onChange={(since) => onChange({ ...window, since })}
      />
      <Field
        label="Recorded before"
        name="until"
        type="datetime-local"
        value={window.until}
        error={isUpsideDown ? 'Choose a time after the first one.' : null}
        onChange={(until) => onChange({ ...window, until })}
      />
    </div>
  );
}
