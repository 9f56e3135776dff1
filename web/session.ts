import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import type { Problem } from './api.ts';
import { get, keepFormToken, post } from './api.ts';
import type { Session } from './surface.ts';
import { keepAhead } from './ui/time.ts';

export const SESSION_KEY = ['session'] as const;

/** Asks the server who it is, and keeps what must come with the next request. */
export async function readSession(signal?: AbortSignal): Promise<Session> {
  const session = await get<Session>('/v1/session', signal === undefined ? {} : { signal });
  keepFormToken(session.session?.form_token ?? null);
  keepAhead(session.clock_ahead_seconds);
  return session;
}

export const useSessionQuery = (): ReturnType<typeof useQuery<Session, Problem>> =>
  useQuery<Session, Problem>({
    queryKey: SESSION_KEY,
    queryFn: ({ signal }) => readSession(signal),
    staleTime: 60_000,
  });

export const SessionContext = createContext<Session | null>(null);

/** Who is signed in and what the server offers. Only inside the frame, which waits for it. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('no session around this component');
  return session;
}

/** Forgets everything that was read for the last person before reading the session anew. */
export function useSessionChange(): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    queries.removeQueries({ predicate: (query) => query.queryKey[0] !== SESSION_KEY[0] });
    await queries.refetchQueries({ queryKey: SESSION_KEY });
  };
}

export function useSignOut(): () => Promise<void> {
  const change = useSessionChange();
  return async () => {
    await post('/logout');
    await change();
  };
}
