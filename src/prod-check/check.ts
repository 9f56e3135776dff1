/** What a check looks at: the settings · this machine and installation · the database · the service from outside. */
export type Needs = 'configuration' | 'machine' | 'database' | 'network';

/** Reasons name settings and never hold a value, secret or not: a report can be shown to anybody. */
export type Finding =
  | { readonly level: 'error'; readonly reason: string }
  | { readonly level: 'warning'; readonly reason: string };

export interface Check<Facts> {
  /** Its number, for ever: reports, the runbook and tests speak of it. */
  readonly id: number;
  readonly title: string;
  readonly needs: Needs;
  /** What goes wrong without it. */
  readonly why: string;
  /** What to do about a finding. */
  readonly remedy: string;
  /** Whether a production server refuses to start on an error. False where only a running service can put it right. */
  readonly isForStart: boolean;
  readonly judge: (facts: Facts) => readonly Finding[];
}

export const error = (reason: string): Finding => ({ level: 'error', reason });
export const warning = (reason: string): Finding => ({ level: 'warning', reason });

/** An error with this reason when the condition does not hold. */
export const must = (condition: boolean, reason: string): readonly Finding[] => (condition ? [] : [error(reason)]);
