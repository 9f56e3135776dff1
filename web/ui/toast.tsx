import { Toast } from 'radix-ui';
import type { ReactElement, ReactNode } from 'react';
import { createContext, useCallback, useContext, useMemo, useState } from 'react';
import { Icon } from './icon.tsx';

type Say = (message: ReactNode) => void;

const SayContext = createContext<Say>(() => {});

/** Says in one line that something was done; also read out. */
export const useToast = (): Say => useContext(SayContext);

const SHOWN_MS = 6_000;

export function ToastProvider({ children }: { readonly children: ReactNode }): ReactElement {
  const [shown, setShown] = useState<{ readonly number: number; readonly message: ReactNode } | null>(null);
  const [isOpen, setOpen] = useState(false);
  const say = useCallback<Say>((message) => {
    setShown((last) => ({ number: (last?.number ?? 0) + 1, message }));
    setOpen(true);
  }, []);
  const value = useMemo(() => say, [say]);
  return (
    <SayContext value={value}>
      <Toast.Provider duration={SHOWN_MS} label="Message">
        {children}
        {shown && (
          <Toast.Root
            key={shown.number}
            open={isOpen}
            onOpenChange={setOpen}
            className="card flex items-center gap-3 px-4 py-3 text-sm shadow-lg"
          >
            <span className="text-good">
              <Icon name="check" />
            </span>
            <Toast.Description>{shown.message}</Toast.Description>
            <Toast.Close aria-label="Dismiss" className="ml-auto rounded-md p-1 text-soft hover:bg-sunken">
              <Icon name="close" />
            </Toast.Close>
          </Toast.Root>
        )}
        <Toast.Viewport className="fixed right-4 bottom-4 left-4 z-50 flex flex-col gap-2 sm:left-auto sm:w-96" />
      </Toast.Provider>
    </SayContext>
  );
}
