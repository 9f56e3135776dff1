import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useState } from 'react';
import type { Problem } from '../api.ts';
import { get, post } from '../api.ts';
import { useChosenWallet } from '../chosen-wallet.tsx';
import type { CardList, SavedCard } from '../surface.ts';
import { Badge } from '../ui/badge.tsx';
import { ProblemBanner } from '../ui/banner.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { Card, Loading } from '../ui/page.tsx';
import { useToast } from '../ui/toast.tsx';
import { expiryOf, isExpired, nameOf } from './words.ts';

/** Of the chosen wallet. */
export const useCardsKey = () => ['cards', useChosenWallet().wallet.wallet_sid] as const;

export const useCards = () => {
  const queryKey = useCardsKey();
  return useQuery<CardList, Problem>({
    queryKey,
    queryFn: ({ signal }) => get<CardList>('/v1/cards', { query: { wallet_sid: queryKey[1] }, signal }),
  });
};

/** What the provider keeps for this person, and the way to have it forgotten. */
export function SavedCards(): ReactElement {
  const cards = useCards();
  return (
    <Card title="Saved cards" aside={<SaveCard />}>
      {cards.isPending && <Loading what="your cards" />}
      {!cards.data && cards.error && (
        <div className="p-4">
          <ProblemBanner problem={cards.error} retry={() => void cards.refetch()} />
        </div>
      )}
      {cards.data?.items.length === 0 && (
        <EmptyState title="No card is saved">
          Save one here, or tick “Save this card for later” when you add money.
        </EmptyState>
      )}
      {cards.data && cards.data.items.length > 0 && (
        <ul>
          {cards.data.items.map((card) => (
            <Row key={card.card_ref} card={card} />
          ))}
        </ul>
      )}
      {cards.data && <p className="border-t border-line px-5 py-3 text-xs text-soft sm:px-6">{cards.data.consent}</p>}
    </Card>
  );
}

/** Leads to the provider's page, on which nothing is charged. */
function SaveCard(): ReactElement {
  const { wallet } = useChosenWallet();
  const setup = useMutation<{ readonly setup_url: string }, Problem>({
    mutationFn: () => post('/v1/cards/setup', { wallet_sid: wallet.wallet_sid }),
    onSuccess: ({ setup_url: url }) => window.location.assign(url),
  });
  return (
    <div>
      <Button look="quiet" size="small" isBusy={setup.isPending || setup.isSuccess} onPress={() => setup.mutate()}>
        Save a card
      </Button>
      <ProblemBanner problem={setup.error} />
    </div>
  );
}

function Row({ card }: { readonly card: SavedCard }): ReactElement {
  const [isRemoving, setRemoving] = useState(false);
  const name = nameOf(card);
  return (
    <li className="border-b border-line px-5 py-3 text-sm last:border-0 sm:px-6">
      <div className="flex flex-wrap items-center gap-2">
        <span className="font-medium">{name}</span>
        {card.is_default && <Badge tone="good" text="For auto-recharge" />}
        {isExpired(card) && <Badge tone="bad" text="Expired" />}
      </div>
      <p className="text-xs text-soft">Expires {expiryOf(card)}</p>
      <div className="mt-1 -ml-3 flex flex-wrap gap-1">
        {!card.is_default && <MakeDefault card={card} />}
        <Button look="plain" size="small" label={`Remove ${name}`} onPress={() => setRemoving(true)}>
          Remove
        </Button>
      </div>
      {isRemoving && <RemoveDialog card={card} onClose={() => setRemoving(false)} />}
    </li>
  );
}

function MakeDefault({ card }: { readonly card: SavedCard }): ReactElement {
  const queries = useQueryClient();
  const key = useCardsKey();
  const say = useToast();
  const make = useMutation<CardList, Problem>({
    mutationFn: () => post<CardList>('/v1/cards/make-default', { card_ref: card.card_ref, wallet_sid: key[1] }),
    onSuccess: (list) => {
      queries.setQueryData(key, list);
      say(`Auto-recharge uses the ${nameOf(card)} from now on.`);
    },
  });
  return (
    <>
      <Button
        look="plain"
        size="small"
        isBusy={make.isPending}
        label={`Use ${nameOf(card)} for auto-recharge`}
        onPress={() => make.mutate()}
      >
        Use for auto-recharge
      </Button>
      <ProblemBanner problem={make.error} />
    </>
  );
}

function RemoveDialog({ card, onClose }: { readonly card: SavedCard; readonly onClose: () => void }): ReactElement {
  const queries = useQueryClient();
  const key = useCardsKey();
  const say = useToast();
  const remove = useMutation<CardList, Problem>({
    mutationFn: () => post<CardList>('/v1/cards/remove', { card_ref: card.card_ref, wallet_sid: key[1] }),
    onSuccess: async (list) => {
      queries.setQueryData(key, list);
      await queries.invalidateQueries({ queryKey: ['auto-recharge'] });
      say(`The ${nameOf(card)} was removed.`);
      onClose();
    },
  });
  return (
    <Dialog title={`Remove the ${nameOf(card)}?`} onClose={onClose}>
      <p className="text-sm">
        The provider forgets the card. What you paid with it stays as it is.
        {card.is_default && ' Auto-recharge uses this card: it is switched off.'}
      </p>
      <ProblemBanner problem={remove.error} />
      <div className="mt-5 flex flex-wrap justify-end gap-3">
        <Button look="quiet" onPress={onClose}>
          Keep it
        </Button>
        <Button look="danger" isBusy={remove.isPending} onPress={() => remove.mutate()}>
          Remove the card
        </Button>
      </div>
    </Dialog>
  );
}
