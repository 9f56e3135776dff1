import type { Problem } from '../../api.ts';
import type { Ladder } from '../../surface.ts';
import { partsOf } from '../../ui/decimal.ts';
import { instantOf } from '../../ui/time.ts';

/** A rung as it is typed. */
export interface RungWish {
  /** Tells rows apart while they are added and taken away. */
  readonly id: string;
  readonly days: string;
  readonly multiplier: string;
}

/** The form of a new version, as it is typed. */
export interface LadderWish {
  readonly category: string;
  readonly rungs: readonly RungWish[];
  readonly graceDays: string;
  readonly isFloorAtCost: boolean;
  readonly activeFrom: string;
}

export interface RungError {
  readonly days?: string;
  readonly multiplier?: string;
}

export interface LadderErrors {
  readonly category?: string;
  readonly rungs?: readonly RungError[];
  readonly graceDays?: string;
  readonly activeFrom?: string;
}

export interface LadderBody {
  readonly category: string;
  readonly rungs: readonly { readonly after_days: number; readonly multiplier: string }[];
  readonly grace_days: number;
  readonly floor_at_cost: boolean;
  readonly active_from?: string;
}

export const newRung = (days = '', multiplier = ''): RungWish => ({ id: crypto.randomUUID(), days, multiplier });

/** Begins with what there is, or with one empty rung. */
export const wishLike = (category: string, ladder: Ladder | null): LadderWish => ({
  category,
  rungs: ladder
    ? ladder.rungs.map(({ after_days: days, multiplier }) => newRung(String(days), multiplier))
    : [newRung()],
  graceDays: String(ladder?.grace_days ?? 7),
  isFloorAtCost: ladder?.floor_at_cost ?? true,
  activeFrom: '',
});

const MULTIPLIER_DECIMALS = 4;
const ONE = 10_000n;

export function readWish(wish: LadderWish): { readonly body: LadderBody } | { readonly errors: LadderErrors } {
  const rungs = wish.rungs.map((rung, index) => rungError(rung, wish.rungs[index - 1]));
  const activeFrom = instantOf(wish.activeFrom);
  const errors: LadderErrors = {
    ...(!/^[a-z][a-z0-9_]{0,31}$/.test(wish.category.trim()) && {
      category: 'Write 1 to 32 of a-z, 0-9 and _, beginning with a letter.',
    }),
    ...(rungs.some((error) => error.days !== undefined || error.multiplier !== undefined) && { rungs }),
    ...(wholeOf(wish.graceDays, 365) === null && { graceDays: 'Write a whole number of days, 1 to 365.' }),
    ...(wish.activeFrom !== '' && activeFrom === null && { activeFrom: 'Choose a time.' }),
  };
  if (Object.keys(errors).length > 0) return { errors };
  return {
    body: {
      category: wish.category.trim(),
      rungs: wish.rungs.map(({ days, multiplier }) => ({ after_days: Number(days), multiplier: multiplier.trim() })),
      grace_days: Number(wish.graceDays),
      floor_at_cost: wish.isFloorAtCost,
      ...(activeFrom !== null && { active_from: activeFrom }),
    },
  };
}

function rungError(rung: RungWish, before: RungWish | undefined): RungError {
  const days = wholeOf(rung.days, 3_650);
  const daysBefore = before ? (wholeOf(before.days, 3_650) ?? 0) : 0;
  const multiplier = partsOf(rung.multiplier, MULTIPLIER_DECIMALS);
  const most = before ? (partsOf(before.multiplier, MULTIPLIER_DECIMALS) ?? ONE) : ONE;
  return {
    ...(days === null
      ? { days: 'Write a whole number of days, 1 to 3,650.' }
      : days <= daysBefore && { days: 'More days than the rung before.' }),
    ...(multiplier === null || multiplier < 0n
      ? { multiplier: 'Write a number such as 0.5, at most four decimals.' }
      : multiplier >= most && { multiplier: before ? 'Less than the rung before.' : 'Less than 1.' }),
  };
}

function wholeOf(text: string, most: number): number | null {
  const count = /^\d{1,4}$/.test(text.trim()) ? Number(text) : 0;
  return count >= 1 && count <= most ? count : null;
}

/** What the server refused, at the field it is about. */
export function refusedErrors({ fields }: Problem): LadderErrors {
  const [category, graceDays, activeFrom] = ['category', 'grace_days', 'active_from'].map((name) => fields.get(name));
  return {
    ...(category !== undefined && { category }),
    ...(graceDays !== undefined && { graceDays }),
    ...(activeFrom !== undefined && { activeFrom }),
  };
}
