import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { Problem } from '../api.ts';
import { post, seg } from '../api.ts';
import { useSession, useSessionChange } from '../session.ts';
import { MyceliumSignIn } from '../sign-in/mycelium.tsx';
import type { Session } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { useToast } from '../ui/toast.tsx';

type Provider = Session['sign_in'][number];

/** Whether this server has any way to sign in that somebody can add by themselves. */
export const mayLink = ({ sign_in: providers, mycelium }: Session): boolean =>
  providers.length > 0 || mycelium !== null;

/** Every way to sign in that can be added to the account. */
export function LinkIdentity(): ReactElement {
  const { sign_in: providers } = useSession();
  const change = useSessionChange();
  const say = useToast();
  const linked = async (): Promise<void> => {
    await change();
    say('It is linked: you can sign in with it from now on.');
  };
  return (
    <div className="space-y-3 border-t border-line p-5 sm:p-6">
      {providers.map((provider) => (
        <ByProvider key={provider.name} provider={provider} />
      ))}
      <MyceliumSignIn purpose="link" onDone={linked} />
    </div>
  );
}

/** Leads to the provider, and back to this page. */
function ByProvider({ provider }: { readonly provider: Provider }): ReactElement {
  const start = useMutation<{ readonly location: string }, Problem>({
    mutationFn: () => post(`/login/${seg(provider.name)}/start`, { purpose: 'link', return_to: '/account' }),
    onSuccess: ({ location }) => window.location.assign(location),
  });
  return (
    <>
      <Button look="quiet" isWide isBusy={start.isPending || start.isSuccess} onPress={() => start.mutate()}>
        Add {provider.title}
      </Button>
      <ProblemBanner problem={start.error} />
    </>
  );
}
