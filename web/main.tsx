import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Problem } from './api.ts';
import { App } from './app.tsx';
import { SESSION_KEY } from './session.ts';
import { ToastProvider } from './ui/toast.tsx';

const RETRIES_MAX = 2;

const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    // A session that ended shows the sign-in page in place, and the page asked for after it.
    onError: (error, query) => {
      if (error instanceof Problem && error.status === 401 && query.queryKey[0] !== SESSION_KEY[0]) {
        void queries.invalidateQueries({ queryKey: SESSION_KEY });
      }
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // What the server refused stays refused; only silence and faults are worth asking again.
      retry: (count, error) =>
        count < RETRIES_MAX && error instanceof Problem && (error.status === 0 || error.status >= 500),
    },
    mutations: { retry: false },
  },
});

// A page restored from the browser's back cache shows the state from before the checkout page.
window.addEventListener('pageshow', (event) => {
  if (event.persisted) window.location.reload();
});

const root = document.querySelector('#root');
if (!root) throw new Error('the page has no #root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <ToastProvider>
        <App />
      </ToastProvider>
    </QueryClientProvider>
  </StrictMode>,
);
