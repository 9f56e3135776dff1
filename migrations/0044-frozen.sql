-- The frozen accounts, found without looking at the others: each report of usage asks which of its wallets are. Few are, so the index is small.
-- Without it every account of a report was read (and its page tidied) once more, a tenth of what PostgreSQL did for a record.
-- Locks: account against writing for one pass over it. Breaking: no.

create index account__frozen on account (id) where is_frozen;
