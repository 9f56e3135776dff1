import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { getFile, seg } from '../api.ts';
import type { User } from '../surface.ts';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/page.tsx';
import { saveFile } from '../ui/save-file.ts';
import { useToast } from '../ui/toast.tsx';
import { DeleteDialog } from './delete-dialog.tsx';

type Form = 'json' | 'csv';

/** What is kept of this person: to take along, and to have deleted. */
export function DataCard({ user }: { readonly user: User }): ReactElement {
  const [isDeleting, setDeleting] = useState(false);
  return (
    <Card title="Your data">
      <div className="space-y-3 p-5 sm:p-6">
        <p className="text-sm">
          Everything that is kept of you in one file, or the statement of your wallet as a table for a spreadsheet.
        </p>
        <Export user={user} />
      </div>
      <div className="space-y-3 border-t border-line p-5 sm:p-6">
        <p className="text-sm">
          Delete your account: your name, your address, your ways to sign in and your saved cards go. What you paid,
          your receipts and what moved in your wallet stays, because the books need it.
        </p>
        <Button look="danger" onPress={() => setDeleting(true)}>
          Delete my account…
        </Button>
      </div>
      {isDeleting && <DeleteDialog user={user} onClose={() => setDeleting(false)} />}
    </Card>
  );
}

function Export({ user }: { readonly user: User }): ReactElement {
  const say = useToast();
  const gather = useMutation<Blob, Problem, Form>({
    mutationFn: (form) => getFile(`/v1/users/${seg(user.sid)}/export.${form}`),
    onSuccess: (file, form) => {
      const name = form === 'json' ? 'hero-onboarding-my-data.json' : 'hero-onboarding-statement.csv';
      saveFile(name, file);
      say(`Saved as ${name}.`);
    },
  });
  const isBusy = (form: Form): boolean => gather.isPending && gather.variables === form;
  return (
    <>
      <div className="flex flex-wrap gap-3">
        <Button look="quiet" isBusy={isBusy('json')} onPress={() => gather.mutate('json')}>
          Download my data
        </Button>
        <Button look="quiet" isBusy={isBusy('csv')} onPress={() => gather.mutate('csv')}>
          Download the statement
        </Button>
      </div>
      <ProblemBanner problem={gather.error} />
    </>
  );
}
